import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCommandLine, UserError } from '../src/command-line/command-line.ts'
import { installNode, NODE_VERSIONS } from './node-versions.ts'
import { runCommand } from './run-command.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

const HELP = `npm run test:node -- VERSION [options]

Runs the unit tests on Node 22 or 24, which is installed into .node at the first run. On Linux, x64 and arm64.

  --report FILE   write the result there, as vitest's JSON reporter does
  -h, --help      this text`

const reporters = (report: string | undefined): readonly string[] =>
  report === undefined ? [] : ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]

await runCommandLine(
  {
    command: 'npm run test:node',
    help: HELP,
    options: { report: { type: 'string' } },
    allowPositionals: true,
  },
  async ({ values, positionals }) => {
    const version = NODE_VERSIONS[positionals[0] ?? '']
    if (version === undefined || positionals.length > 1) {
      throw new UserError(`the version must be one of ${Object.keys(NODE_VERSIONS).join(', ')}`)
    }
    const bin = await installNode(version)
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs')
    const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` }
    await runCommand(join(bin, 'node'), [vitest, 'run', '--project', 'unit', ...reporters(values.report)], {
      cwd: ROOT,
      env,
    })
  },
)
