import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommandLine } from '../src/command-line/command-line.ts'
import { ADMIN_TOKEN, startEmbeddedServer } from './embedded-server.ts'
import { buildWheel, CLIENT, generate, installTools } from './python-client/build.ts'
import type { Venv } from './python-venv.ts'
import { type JunitSum, sumJunitReport } from './reports.ts'
import { CommandFailed, runCommand } from './run-command.ts'

const HELP = `npm run test:python [-- options]

Builds the Python client as npm run build:python does, checks it with ruff and mypy, installs its wheel into a new venv and runs
its tests, and the examples of docs/languages.md, against an embedded zael on free ports. Needs Python 3.11 and Go.

      --report FILE   write the result there, as vitest's JSON reporter does
  -h, --help          this text`

const lint = async (tools: Venv): Promise<void> => {
  await runCommand(tools.program('ruff'), ['check', '--quiet', CLIENT])
  await runCommand(tools.program('ruff'), ['format', '--check', '--quiet', CLIENT])
  await runCommand(tools.program('mypy'), ['--config-file', join(CLIENT, 'pyproject.toml')], { cwd: CLIENT })
}

/** Runs the tests with the wheel as a user would install it, and without the sources. */
const test = async (
  tools: Venv,
  wheel: string,
  url: string,
  junit: string,
  directory: string,
): Promise<void> => {
  const venv = join(directory, 'venv')
  await runCommand(tools.program('python'), ['-m', 'uv', 'venv', '--quiet', venv])
  await tools.add(['--python', venv, wheel, '--requirements', join(CLIENT, 'requirements-tests.txt')])
  await runCommand(
    join(venv, 'bin', 'python'),
    [
      '-m',
      'pytest',
      '--config-file',
      join(CLIENT, 'pyproject.toml'),
      '--rootdir',
      CLIENT,
      `--junitxml=${junit}`,
    ],
    {
      cwd: CLIENT,
      env: {
        ...process.env,
        ZAEL_URL: url,
        ZAEL_ADMIN_TOKEN: ADMIN_TOKEN,
        PYTHONDONTWRITEBYTECODE: '1',
      },
    },
  )
}

const run = async (): Promise<JunitSum> => {
  const tools = await installTools()
  const directory = await mkdtemp(join(tmpdir(), 'zael-python-'))
  const server = await startEmbeddedServer({ DEFAULT_RPM_LIMIT: 'none', DEFAULT_TPM_LIMIT: 'none' })
  const junit = join(directory, 'junit.xml')
  try {
    await generate(tools, server.url)
    await lint(tools)
    const wheel = await buildWheel(tools)
    await test(tools, wheel, server.url, junit, directory).catch((error: unknown) => {
      // the failures are counted from its report
      if (!(error instanceof CommandFailed && existsSync(junit))) throw error
    })
    return sumJunitReport(readFileSync(junit, 'utf8'))
  } finally {
    await server.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

await runCommandLine(
  { command: 'npm run test:python', help: HELP, options: { report: { type: 'string' } } },
  async ({ values }) => {
    const sum = await run()
    if (values.report !== undefined) writeFileSync(values.report, JSON.stringify(sum))
    console.log(`\n${sum.numPassedTests} passed, ${sum.numFailedTests} failed`)
    if (!sum.success) process.exitCode = 1
  },
)
