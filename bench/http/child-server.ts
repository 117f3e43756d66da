import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** As `watch-loop.ts` reports it, in ms. */
export interface LoopBlock {
  readonly longestBlockMs: number
  readonly longestBlockCpuMs: number | null
}

/** A server in a process of its own. */
export interface ChildServer {
  readonly url: string
  /** The longest block of its event loop since this was last asked; of a watched server only. */
  longestBlock(): Promise<LoopBlock>
  stop(): Promise<void>
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** zael as `npm start` runs it, with its own engine, and the demo data of a new table. */
export const startZael = ({ isWatched = false } = {}): Promise<ChildServer> =>
  startChild(
    'bin/serve.ts',
    { PORT: '0', DYNAMODB_PORT: '0', ADMIN_TOKEN, LOG_LEVEL: 'warn' },
    isWatched ? ['--import', './bench/http/watch-loop.ts'] : [],
  )

export const ADMIN_TOKEN = 'bench-admin'

/** Handlers by path that answer every POST with the JSON given. */
export const startBare = (answers: Readonly<Record<string, unknown>>): Promise<ChildServer> =>
  startChild('bench/http/bare-server.ts', { BARE_ANSWERS: JSON.stringify(answers) })

const startChild = async (
  script: string,
  environment: Readonly<Record<string, string>>,
  preloaded: readonly string[] = [],
): Promise<ChildServer> => {
  const child = spawn(process.execPath, ['--import', 'tsx', ...preloaded, script], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', ...environment },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  return {
    url: await urlSaidBy(child),
    longestBlock: () => longestBlockOf(child),
    stop: () => stop(child),
  }
}

const longestBlockOf = async (child: ChildProcess): Promise<LoopBlock> => {
  const answer = once(child, 'message')
  child.send('longest block')
  const [message]: unknown[] = await answer
  if (!isLoopBlock(message)) throw new Error('the server is not watched')
  return message
}

const isLoopBlock = (message: unknown): message is LoopBlock =>
  typeof message === 'object' && message !== null && 'longestBlockMs' in message

const urlSaidBy = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let said = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const url = /API +(\S+)\n/.exec(said)?.[1]
      if (url !== undefined) resolve(url)
    })
    child.once('error', reject)
    child.once('close', (code) => reject(new Error(`the server ended with ${code}: ${said}`)))
  })

const stop = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  child.kill('SIGTERM')
  await closed
}
