import { type Dispatcher, Pool } from 'undici'

export interface LoadRequest {
  /** Index of the node. */
  readonly node: number
  readonly apiKey: string
  readonly body: Buffer
}

/** No answer came: `kind` is the system's code, `timeout`, or `unfinished` where the client was closed before. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
  readonly kind: string

  constructor(kind: string, options?: ErrorOptions) {
    super(`no answer: ${kind}`, options)
    this.kind = kind
  }
}

/** Sends JSON over connections that are kept, and reads each answer to its end. */
export interface HttpClient {
  /** The answer's status. Redirects are not followed. Throws `NoAnswer`. */
  send(request: LoadRequest): Promise<number>
  /** Ends what is under way. */
  close(): void
}

export interface HttpClientOptions {
  /** Where each node's API begins. */
  readonly nodes: readonly string[]
  readonly path: string
  /** Of each node, at once; what is more waits. */
  readonly connectionsPerNode: number
  /** From sending, or waiting for a connection, to the end of the answer. */
  readonly timeoutMs: number
}

interface Target {
  readonly pool: Pool
  readonly path: string
}

const targetOf = (node: string, { path, connectionsPerNode, timeoutMs }: HttpClientOptions): Target => {
  const { origin, pathname, search } = new URL(node + path)
  // each request has a deadline of its own: these only end what it has given up
  const timeouts = { headersTimeout: timeoutMs, bodyTimeout: timeoutMs }
  return {
    pool: new Pool(origin, { connections: connectionsPerNode, pipelining: 1, ...timeouts }),
    path: pathname + search,
  }
}

const kindOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : error.name

type GiveUp = (error: NoAnswer) => void

/** `underWay` holds what ends the request before its answer: one that waits for a connection hears of nothing else. */
const post = (
  { pool, path }: Target,
  { apiKey, body }: LoadRequest,
  { timeoutMs, underWay }: { readonly timeoutMs: number; readonly underWay: Set<GiveUp> },
): Promise<number> =>
  new Promise((resolve, reject) => {
    let connection: Dispatcher.DispatchController | undefined
    let givenUp: NoAnswer | undefined
    let status = 0
    const end = (): void => {
      clearTimeout(late)
      underWay.delete(giveUp)
    }
    const fail = (error: Error): void => {
      end()
      reject(error)
    }
    const giveUp: GiveUp = (error) => {
      givenUp = error
      fail(error)
      connection?.abort(error)
    }
    const late = setTimeout(() => giveUp(new NoAnswer('timeout')), timeoutMs)
    underWay.add(giveUp)
    const headers = ['authorization', `Bearer ${apiKey}`, 'content-type', 'application/json']
    pool.dispatch(
      { method: 'POST', path, headers, body },
      {
        onRequestStart(controller) {
          connection = controller
          if (givenUp) controller.abort(givenUp)
        },
        onResponseStart(_, statusCode) {
          status = statusCode
        },
        onResponseData() {},
        onResponseEnd() {
          end()
          resolve(status)
        },
        onResponseError: (_, error) => fail(error),
      },
    )
  })

/** One pool a node: a node whose connections are all busy keeps no other's requests waiting. */
export const createHttpClient = (options: HttpClientOptions): HttpClient => {
  const targets = options.nodes.map((node) => targetOf(node, options))
  const underWay = new Set<GiveUp>()
  const { timeoutMs } = options
  return {
    async send(request) {
      const target = targets[request.node]
      if (target === undefined) throw new RangeError(`there is no node ${request.node}`)
      try {
        return await post(target, request, { timeoutMs, underWay })
      } catch (error) {
        if (error instanceof NoAnswer || !(error instanceof Error)) throw error
        throw new NoAnswer(kindOf(error), { cause: error })
      }
    },
    close() {
      for (const giveUp of underWay) giveUp(new NoAnswer('unfinished'))
      for (const { pool } of targets) void pool.destroy()
    },
  }
}
