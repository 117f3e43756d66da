import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { emulatorEnvironment } from './emulator.ts'
import { startMiniStack } from './ministack.ts'
import { runCommand, runScript } from './run-command.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Deploys to the emulator as anyone would, and runs the tests against what is there then. */
const deployAndTest = async (endpoint: string, args: readonly string[]): Promise<void> => {
  const directory = await mkdtemp(join(tmpdir(), 'zael-e2e-'))
  const outputs = join(directory, 'outputs.json')
  const env = { ...emulatorEnvironment(endpoint, process.env), E2E_OUTPUTS_FILE: outputs }
  try {
    await runCommand('npm', ['run', 'deploy:local', '--', '--outputs-file', outputs], { cwd: ROOT, env })
    await runCommand('npx', ['--no-install', 'vitest', 'run', '--project', 'e2e', ...args], {
      cwd: ROOT,
      env,
    })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/**
 * The end-to-end tests: against the emulator that AWS_ENDPOINT_URL names, else against a MiniStack of its own, which
 * ends with it. Arguments go to vitest.
 */
await runScript(async () => {
  const args = process.argv.slice(2)
  const endpoint = process.env.AWS_ENDPOINT_URL
  if (endpoint) return deployAndTest(endpoint, args)
  const ministack = await startMiniStack()
  const leave = () => void ministack.stop().finally(() => process.exit(130))
  process.once('SIGINT', leave).once('SIGTERM', leave)
  try {
    await deployAndTest(ministack.endpoint, args)
  } finally {
    await ministack.stop()
  }
})
