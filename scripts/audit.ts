import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { runCommandLine } from '../src/command-line/command-line.ts'
import { auditResult } from './reports.ts'
import { ScriptError } from './run-command.ts'

/** Advisories that do not concern zael, by URL, each with the reason. */
const EXPLAINED: Readonly<Record<string, string>> = {}

const HELP = `npm run audit

Requests advisories from the package registry on the packages in package-lock.json and in that of test/compatibility, and fails
for each one that scripts/audit.ts does not explain. A registry that does not offer advisories is reported, and is no failure.`

/** The directories with a lock file: this project, and the clients of `npm run test:compatibility`. */
const LOCKED = ['.', 'test/compatibility'].map((path) =>
  fileURLToPath(new URL(`../${path}`, import.meta.url)),
)

/** npm exits with 1 for advisories and for errors alike, and prints JSON for both. */
const npmAudit = (cwd: string): Promise<string> =>
  new Promise((resolve) => {
    execFile('npm', ['audit', '--json'], { cwd, maxBuffer: 64 * 1_048_576 }, (_, stdout) => resolve(stdout))
  })

await runCommandLine({ command: 'npm run audit', help: HELP, options: {} }, async () => {
  const results = await Promise.all(
    LOCKED.map(async (directory) => auditResult(await npmAudit(directory), EXPLAINED)),
  )
  const unavailable = results.find((result) => result.unavailable !== undefined)?.unavailable
  const unexplained = [...new Set(results.flatMap((result) => result.unexplained))]
  if (unexplained.length > 0) throw new ScriptError(`advisories: ${unexplained.join('; ')}`)
  if (unavailable !== undefined) return console.log(`not audited: ${unavailable}`)
  console.log(`no advisories, ${Object.keys(EXPLAINED).length} explained`)
})
