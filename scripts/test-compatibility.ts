import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import pLimit from 'p-limit'
import { runCommandLine, UserError } from '../src/command-line/command-line.ts'
import { CLIENTS } from './compatibility/clients.ts'
import { installClients, versionOf } from './compatibility/install.ts'
import { linesOf, type Row, reportOf, rowOf } from './compatibility/results.ts'
import { runClient } from './compatibility/run-client.ts'
import { withTables } from './compatibility/table.ts'
import { startWorld } from './compatibility/world.ts'

const DOCUMENT = fileURLToPath(new URL('../docs/compatibility.md', import.meta.url))

/** Clients that run at the same time: most of their time is start-up, and waits that zael demands. */
const CONCURRENCY = 3

const HELP = `npm run test:compatibility [-- options] [clients]

Starts an embedded zael on free ports, in front of the simulated model and of a local provider, and calls it with the client
libraries of OpenAI and Anthropic and those built on them. Clients are parts of their names; default: all. The first run
installs the clients into test/compatibility, which needs Python 3.

      --write         update the tables of docs/compatibility.md, if all checks pass
      --report FILE   write the result there, as vitest's JSON reporter does
  -h, --help          this text`

const run = async (parts: readonly string[]): Promise<readonly Row[]> => {
  const clients = CLIENTS.filter(
    ({ name }) => parts.length === 0 || parts.some((part) => name.includes(part)),
  )
  if (clients.length === 0) {
    throw new UserError(`no such client; the clients are ${CLIENTS.map(({ name }) => name).join('; ')}`)
  }
  const interpreters = await installClients()
  const world = await startWorld()
  const inTurn = pLimit(CONCURRENCY)
  try {
    const rows = clients.map((client) =>
      inTurn(async () => {
        const row = rowOf(await runClient(client, interpreters, world), versionOf(client))
        console.log(linesOf(row).join('\n'))
        return row
      }),
    )
    return await Promise.all(rows)
  } finally {
    await world.close()
  }
}

await runCommandLine(
  {
    command: 'npm run test:compatibility',
    help: HELP,
    options: { report: { type: 'string' }, write: { type: 'boolean', default: false } },
    allowPositionals: true,
  },
  async ({ values, positionals }) => {
    if (values.write && positionals.length > 0) throw new UserError('--write needs all clients')
    const rows = await run(positionals)
    const report = reportOf(rows)
    if (values.report !== undefined) writeFileSync(values.report, JSON.stringify(report))
    console.log(`\n${report.numPassedTests} passed, ${report.numFailedTests} failed`)
    if (!report.success) process.exitCode = 1
    else if (values.write) writeFileSync(DOCUMENT, withTables(readFileSync(DOCUMENT, 'utf8'), rows))
  },
)
