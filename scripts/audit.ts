import { execFile } from 'node:child_process'
import { runCommandLine } from '../src/command-line/command-line.ts'
import { auditResult } from './reports.ts'
import { ScriptError } from './run-command.ts'

/** Advisories that do not concern zael, by URL, each with the reason. */
const EXPLAINED: Readonly<Record<string, string>> = {}

const HELP = `npm run audit

Requests advisories from the package registry on the packages in package-lock.json, and fails for each one that scripts/audit.ts
does not explain. A registry that does not offer advisories is reported, and is no failure.`

/** npm exits with 1 for advisories and for errors alike, and prints JSON for both. */
const npmAudit = (): Promise<string> =>
  new Promise((resolve) => {
    execFile('npm', ['audit', '--json'], { maxBuffer: 64 * 1_048_576 }, (_, stdout) => resolve(stdout))
  })

await runCommandLine({ command: 'npm run audit', help: HELP, options: {} }, async () => {
  const { unavailable, unexplained } = auditResult(await npmAudit(), EXPLAINED)
  if (unavailable !== undefined) return console.log(`not audited: ${unavailable}`)
  if (unexplained.length > 0) throw new ScriptError(`advisories: ${unexplained.join('; ')}`)
  console.log(`no advisories, ${Object.keys(EXPLAINED).length} explained`)
})
