import { mkdirSync, symlinkSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { runCommandLine } from '../src/command-line/command-line.ts'
import { DEFAULT_ENDPOINT } from './deployment.ts'
import { type Emulator, runEmulator, startEmulator } from './emulator-process.ts'
import { INSTALLED, installLocalStack, LOCALSTACK_VERSION } from './localstack/install.ts'

const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** LocalStack's file system in `directory`, with the packages where LocalStack would install them itself. */
const prepareFiles = (directory: string): string => {
  const root = join(directory, 'root')
  const data = join(root, 'var', 'lib', 'localstack')
  mkdirSync(data, { recursive: true })
  symlinkSync(INSTALLED.lib, join(data, 'lib'))
  return root
}

/** LocalStack reads settings with many names, so it receives none of this machine's AWS settings. */
const environment = (port: number, directory: string): NodeJS.ProcessEnv => {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'))
  const temporary = join(directory, 'tmp')
  mkdirSync(temporary)
  return {
    ...Object.fromEntries(others),
    PATH: [dirname(INSTALLED.python), process.env.PATH].join(delimiter),
    PYTHONPATH: fileOf('localstack/plugin'),
    PYTHONDONTWRITEBYTECODE: '1',
    FILESYSTEM_ROOT: prepareFiles(directory),
    TMPDIR: temporary,
    GATEWAY_LISTEN: `127.0.0.1:${port}`,
    LOCALSTACK_HOST: `localhost:${port}`,
    // Also in a container, which LocalStack would otherwise mistake for its own.
    OVERRIDE_IN_DOCKER: '0',
    DNS_ADDRESS: '0',
    DISABLE_EVENTS: '1',
    SKIP_SSL_CERT_DOWNLOAD: '1',
    DYNAMODB_IN_MEMORY: '1',
    LAMBDA_IGNORE_ARCHITECTURE: '1',
    LAMBDA_RUNTIME_EXECUTOR: 'process',
    RUN_FUNCTION_NODE: INSTALLED.node,
    RUN_FUNCTION_SCRIPT: fileOf('localstack/run-function.mjs'),
  }
}

/** Starts LocalStack on the loopback interface; without `port`, on a free one. */
export const startLocalStack = async (port?: number): Promise<Emulator> => {
  await installLocalStack()
  return startEmulator(
    {
      name: 'LocalStack',
      command: INSTALLED.python,
      args: ['-m', 'localstack.runtime.main'],
      environment,
      startTimeoutMs: 120_000,
      stopTimeoutMs: 20_000,
    },
    port,
  )
}

const HELP = `npm run localstack

Starts LocalStack ${LOCALSTACK_VERSION}, the emulator of docker-compose.localstack.yml, without Docker, on the port of AWS_ENDPOINT_URL (default:
${DEFAULT_ENDPOINT}). Lambdas run as Node processes. The first start installs it into .localstack, which needs Linux on x64,
Python 3.13, Java 17 or newer, and Maven. Ctrl-C ends it.`

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runCommandLine({ command: 'npm run localstack', help: HELP, options: {} }, () =>
    runEmulator('LocalStack', startLocalStack),
  )
}
