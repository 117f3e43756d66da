import { join } from 'node:path'
import { bundledPrograms } from '../../scripts/bundle-programs.ts'
import { type ChildServer, startServer } from '../child-server.ts'

/** The message of `watch-loop.ts`, in ms. */
export interface LoopBlock {
  readonly longestBlockMs: number
  readonly longestBlockCpuMs: number | null
}

/** zael with its own table. */
export interface ZaelServer extends ChildServer {
  /** The engine's endpoint. */
  readonly tableUrl: string
}

export interface ZaelOptions {
  readonly isWatched?: boolean
  /** Without the limiter. */
  readonly isBypassed?: boolean
  /** Further settings. */
  readonly settings?: Readonly<Record<string, string>>
}

/** zael as `npm start` runs it, with its own engine and the demo data in a new table. */
export const startZael = async (options: ZaelOptions = {}): Promise<ZaelServer> => {
  const { isWatched = false, isBypassed = false, settings = {} } = options
  const server = await startServer({
    script: join(await bundledPrograms(), 'serve.mjs'),
    environment: {
      ...{ PORT: '0', DYNAMODB_PORT: '0', LOG_LEVEL: 'warn' },
      ...{ ADMIN_TOKEN, VIEWER_TOKEN, STORE_DEADLINE_MS },
      ...(isBypassed && { BYPASS_LIMITER: '1' }),
      ...settings,
    },
    preloaded: isWatched ? ['./bench/http/watch-loop.ts'] : [],
  })
  return { ...server, tableUrl: await server.printed(TABLE) }
}

const TABLE = /Table +\S+ in ([^\s,]+)/

/** A benchmark measures how long decisions take, so none may be denied for its duration on a busy machine. */
const STORE_DEADLINE_MS = '5000'

export const [ADMIN_TOKEN, VIEWER_TOKEN] = ['bench-admin', 'bench-viewer']

/** A fixed response. */
export interface BareResponse {
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

/** Starts handlers by path that respond to every POST with the given response. */
export const startBare = (responses: Readonly<Record<string, BareResponse>>): Promise<ChildServer> =>
  startServer({
    script: 'bench/http/bare-server.ts',
    environment: { BARE_RESPONSES: JSON.stringify(responses) },
  })

/** The longest block of a watched server's event loop since the previous call. */
export const longestBlock = async (server: ChildServer): Promise<LoopBlock> => {
  const reply = await server.request('longest block')
  if (!isLoopBlock(reply)) throw new Error('the server is not watched')
  return reply
}

const isLoopBlock = (message: unknown): message is LoopBlock =>
  typeof message === 'object' && message !== null && 'longestBlockMs' in message
