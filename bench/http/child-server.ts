import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** The message of `watch-loop.ts`, in ms. */
export interface LoopBlock {
  readonly longestBlockMs: number
  readonly longestBlockCpuMs: number | null
}

/** A server in its own process. */
export interface ChildServer {
  readonly url: string
  /** The longest block of its event loop since the previous call. Requires a watched server. */
  longestBlock(): Promise<LoopBlock>
  stop(): Promise<void>
}

/** zael with its own table. */
export interface ZaelServer extends ChildServer {
  /** The engine's endpoint. */
  readonly tableUrl: string
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** zael as `npm start` runs it, with its own engine and the demo data in a new table. */
export const startZael = async ({ isWatched = false } = {}): Promise<ZaelServer> => {
  const child = spawnNode(
    'bin/serve.ts',
    { PORT: '0', DYNAMODB_PORT: '0', ADMIN_TOKEN, VIEWER_TOKEN, STORE_DEADLINE_MS, LOG_LEVEL: 'warn' },
    isWatched ? ['--import', './bench/http/watch-loop.ts'] : [],
  )
  const [url, tableUrl] = await Promise.all([printedBy(child, API), printedBy(child, TABLE)])
  return { ...serverOf(child, url), tableUrl }
}

/** zael and the bare server print their address in this form. */
const [API, TABLE] = [/API +(\S+)\n/, /Table +\S+ in ([^\s,]+)/]

/** A benchmark measures how long decisions take, so none may be denied for its duration on a busy machine. */
const STORE_DEADLINE_MS = '5000'

export const [ADMIN_TOKEN, VIEWER_TOKEN] = ['bench-admin', 'bench-viewer']

/** Starts handlers by path that respond to every POST with the given JSON. */
export const startBare = async (responses: Readonly<Record<string, unknown>>): Promise<ChildServer> => {
  const child = spawnNode('bench/http/bare-server.ts', { BARE_RESPONSES: JSON.stringify(responses) })
  return serverOf(child, await printedBy(child, API))
}

const spawnNode = (
  script: string,
  environment: Readonly<Record<string, string>>,
  preloaded: readonly string[] = [],
): ChildProcess =>
  spawn(process.execPath, ['--import', 'tsx', ...preloaded, script], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', ...environment },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })

const serverOf = (child: ChildProcess, url: string): ChildServer => ({
  url,
  longestBlock: () => longestBlockOf(child),
  stop: () => stop(child),
})

const longestBlockOf = async (child: ChildProcess): Promise<LoopBlock> => {
  const reply = once(child, 'message')
  child.send('longest block')
  const [message]: unknown[] = await reply
  if (!isLoopBlock(message)) throw new Error('the server is not watched')
  return message
}

const isLoopBlock = (message: unknown): message is LoopBlock =>
  typeof message === 'object' && message !== null && 'longestBlockMs' in message

/** The first group of `pattern` in the child's output. */
const printedBy = (child: ChildProcess, pattern: RegExp): Promise<string> =>
  new Promise((resolve, reject) => {
    let printed = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      printed += text
      const found = pattern.exec(printed)?.[1]
      if (found !== undefined) resolve(found)
    })
    child.once('error', reject)
    child.once('close', (code) => reject(new Error(`the server ended with ${code}: ${printed}`)))
  })

const stop = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  child.kill('SIGTERM')
  await closed
}
