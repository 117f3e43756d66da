import { type Dispatcher, Pool } from 'undici'

export interface LoadRequest {
  /** Index of the node. */
  readonly node: number
  readonly apiKey: string
  readonly body: Buffer
}

/** There was no response: `kind` is the system's error code, `timeout`, or `unfinished` if the client was closed before. */
export class NoResponse extends Error {
  override readonly name = 'NoResponse'
  readonly kind: string

  constructor(kind: string, options?: ErrorOptions) {
    super(`no response: ${kind}`, options)
    this.kind = kind
  }
}

/** Sends JSON over persistent connections, and reads each response to its end. */
export interface HttpClient {
  /** Resolves to the status of the response. Redirects are not followed. Throws `NoResponse`. */
  send(request: LoadRequest): Promise<number>
  /** Ends the requests in progress. */
  close(): void
}

export interface HttpClientOptions {
  /** The base URL of each node's API. */
  readonly nodes: readonly string[]
  readonly path: string
  /** Per node, concurrently; further requests wait. */
  readonly connectionsPerNode: number
  /** From sending, or waiting for a connection, to the end of the response. */
  readonly timeoutMs: number
}

interface Target {
  readonly pool: Pool
  readonly path: string
}

const targetOf = (node: string, { path, connectionsPerNode, timeoutMs }: HttpClientOptions): Target => {
  const { origin, pathname, search } = new URL(node + path)
  // every request has its own deadline; these timeouts only end requests that exceeded it
  const timeouts = { headersTimeout: timeoutMs, bodyTimeout: timeoutMs }
  return {
    pool: new Pool(origin, { connections: connectionsPerNode, pipelining: 1, ...timeouts }),
    path: pathname + search,
  }
}

const kindOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : error.name

type GiveUp = (error: NoResponse) => void

/**
 * `underWay` contains the functions that end requests before their response: a request that waits for a connection
 * receives no other event.
 */
const post = (
  { pool, path }: Target,
  { apiKey, body }: LoadRequest,
  { timeoutMs, underWay }: { readonly timeoutMs: number; readonly underWay: Set<GiveUp> },
): Promise<number> =>
  new Promise((resolve, reject) => {
    let connection: Dispatcher.DispatchController | undefined
    let givenUp: NoResponse | undefined
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
    const late = setTimeout(() => giveUp(new NoResponse('timeout')), timeoutMs)
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

/** One pool per node: a node whose connections are all busy does not delay requests to another. */
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
        if (error instanceof NoResponse || !(error instanceof Error)) throw error
        throw new NoResponse(kindOf(error), { cause: error })
      }
    },
    close() {
      for (const giveUp of underWay) giveUp(new NoResponse('unfinished'))
      for (const { pool } of targets) void pool.destroy()
    },
  }
}
