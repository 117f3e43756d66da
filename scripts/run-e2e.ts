import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type CommandArguments, runCommandLine } from '../src/command-line/command-line.ts'
import { emulatorEnvironment } from './deployment.ts'
import { startLocalStack } from './localstack.ts'
import { startMiniStack } from './ministack.ts'
import { runCommand, ScriptError } from './run-command.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Signs the webhooks of the tests, which verify them by the same variable. */
const ALERT_SECRET_E2E = 'a-secret-of-the-end-to-end-tests'

/** Deploys to the emulator as a user would, and runs the tests against that deployment. */
const deployAndTest = async (endpoint: string, args: readonly string[]): Promise<void> => {
  const directory = await mkdtemp(join(tmpdir(), 'zael-e2e-'))
  const outputs = join(directory, 'outputs.json')
  const env = { ...emulatorEnvironment(endpoint, process.env), E2E_OUTPUTS_FILE: outputs, ALERT_SECRET_E2E }
  try {
    await runCommand('npm', ['run', 'deploy:local', '--', '--outputs-file', outputs], { cwd: ROOT, env })
    // one file at a time: a poll of the dashboard caches which limits each entity has, also of one that has just been created
    await runCommand(
      'npx',
      ['--no-install', 'vitest', 'run', '--project', 'e2e', '--no-file-parallelism', ...args],
      {
        cwd: ROOT,
        env,
      },
    )
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

const HELP = `npm run test:e2e [-- options] [files]

Deploys to an emulator and runs the end-to-end tests against the deployment: on the emulator that AWS_ENDPOINT_URL names,
else on one that is started for it and ends with it. Files are parts of the paths of tests.

      --on ministack|localstack   the emulator; default: ministack. localstack: without the tests of the authorizer
  -t, --testNamePattern PATTERN   only tests whose name matches
      --reporter NAME             a reporter of vitest; repeat it
      --outputFile.json FILE      where the reporter json writes
  -h, --help                      this text`

const STARTS = { ministack: startMiniStack, localstack: startLocalStack } as const

const OPTIONS = {
  on: { type: 'string', default: 'ministack' },
  testNamePattern: { type: 'string', short: 't' },
  reporter: { type: 'string', multiple: true },
  'outputFile.json': { type: 'string' },
} as const

/** The same options as vitest's. */
const vitestArguments = ({
  values: { on: _, ...values },
  positionals,
}: CommandArguments<typeof OPTIONS>): readonly string[] => [
  ...positionals,
  ...Object.entries(values).flatMap(([name, value]) => [value].flat().map((one) => `--${name}=${one}`)),
]

const isEmulator = (name: string): name is keyof typeof STARTS => name in STARTS

const runTests = async (name: string, args: readonly string[]): Promise<void> => {
  if (!isEmulator(name)) {
    throw new ScriptError(`--on must be ${Object.keys(STARTS).join(' or ')}, not ${name}`)
  }
  // the configuration of the tests leaves out those that the emulator cannot pass
  process.env.E2E_EMULATOR = name
  const endpoint = process.env.AWS_ENDPOINT_URL
  if (endpoint) return deployAndTest(endpoint, args)
  const emulator = await STARTS[name]()
  const leave = () => void emulator.stop().finally(() => process.exit(130))
  process.once('SIGINT', leave).once('SIGTERM', leave)
  try {
    await deployAndTest(emulator.endpoint, args)
  } finally {
    await emulator.stop()
  }
}

await runCommandLine(
  { command: 'npm run test:e2e', help: HELP, options: OPTIONS, allowPositionals: true },
  (given) => runTests(given.values.on, vitestArguments(given)),
)
