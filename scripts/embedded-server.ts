import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { freePort, isReady } from './emulator-process.ts'
import { ScriptError } from './run-command.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** A generous timeout for a busy machine; an idle one needs two seconds. */
const START_TIMEOUT_MS = 300_000

export const ADMIN_TOKEN = 'dev-admin'

/** On a busy machine, a slow store must not count as unavailable. */
const SETTINGS = { LOG_LEVEL: 'error', STORE_DEADLINE_MS: '10000' }

/** A zael with its demo data, in a process of its own on free ports. */
export interface EmbeddedServer {
  readonly url: string
  /** Throws `ScriptError` if the process has ended by itself. */
  requireRunning(): void
  stop(): Promise<void>
}

export const startEmbeddedServer = async (
  settings: Readonly<Record<string, string>> = {},
): Promise<EmbeddedServer> => {
  const [port, dynamodbPort] = [await freePort(), await freePort()]
  const { PATH, HOME } = process.env
  const child = spawn(process.execPath, ['--import', 'tsx', 'bin/serve.ts'], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH, HOME, ...SETTINGS, ...settings, PORT: String(port), DYNAMODB_PORT: String(dynamodbPort) },
  })
  // also where this process fails, or is interrupted
  process.once('exit', () => child.kill())
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  const url = `http://127.0.0.1:${port}`
  if (!(await isReady(`${url}/health`, child, START_TIMEOUT_MS))) {
    child.kill()
    throw new ScriptError('zael did not start')
  }
  return {
    url,
    requireRunning() {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new ScriptError(`zael ended with ${child.signalCode ?? child.exitCode}`)
    },
    async stop() {
      const ended = once(child, 'exit')
      if (child.exitCode === null && child.kill()) await ended
    },
  }
}
