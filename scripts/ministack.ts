import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { runCommandLine } from '../src/command-line/command-line.ts'
import { DEFAULT_ENDPOINT } from './deployment.ts'
import { type Emulator, runEmulator, startEmulator } from './emulator-process.ts'
import { runCommand } from './run-command.ts'

const VERSION = '1.5.33'
const VENV = fileURLToPath(new URL('../.venv', import.meta.url))

/** Installs MiniStack from PyPI into `.venv`, once. */
const install = async (): Promise<void> => {
  const stamp = join(VENV, 'ministack-version')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === VERSION) return
  console.log(`Installing MiniStack ${VERSION} into .venv`)
  await runCommand('python3', ['-m', 'venv', VENV])
  await runCommand(join(VENV, 'bin', 'pip'), ['install', '--quiet', `ministack==${VERSION}`])
  writeFileSync(stamp, VERSION)
}

/** Starts MiniStack on the loopback interface; without `port`, on a free one. */
export const startMiniStack = async (port?: number): Promise<Emulator> => {
  await install()
  return startEmulator(
    {
      name: 'MiniStack',
      command: join(VENV, 'bin', 'ministack'),
      args: [],
      environment: (gatewayPort, directory) => ({
        ...process.env,
        GATEWAY_PORT: String(gatewayPort),
        BIND_HOST: '127.0.0.1',
        TMPDIR: directory,
      }),
      startTimeoutMs: 60_000,
      stopTimeoutMs: 5_000,
    },
    port,
  )
}

const HELP = `npm run ministack

Starts MiniStack, an AWS emulator that needs no Docker, on the port of AWS_ENDPOINT_URL (default: ${DEFAULT_ENDPOINT}). The first
start installs it into .venv, which needs Python 3. Ctrl-C ends it.`

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runCommandLine({ command: 'npm run ministack', help: HELP, options: {} }, () =>
    runEmulator('MiniStack', startMiniStack),
  )
}
