import { Agent as HttpAgent, request as httpRequest, type RequestOptions } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

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
  readonly options: RequestOptions
  readonly agent: HttpAgent
  readonly request: typeof httpRequest
}

const targetOf = (node: string, { path, connectionsPerNode }: HttpClientOptions): Target => {
  const url = new URL(node + path)
  const isSecure = url.protocol === 'https:'
  const agent = new (isSecure ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: connectionsPerNode })
  const options = {
    protocol: url.protocol,
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port,
    path: url.pathname + url.search,
    method: 'POST',
    agent,
  }
  return { options, agent, request: isSecure ? httpsRequest : httpRequest }
}

const kindOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : error.name

type GiveUp = (error: NoAnswer) => void

/** `underWay` holds what ends the request before its answer: one that waits for a connection hears of nothing else. */
const post = (
  { options, request }: Target,
  { apiKey, body }: LoadRequest,
  { timeoutMs, underWay }: { readonly timeoutMs: number; readonly underWay: Set<GiveUp> },
): Promise<number> =>
  new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${apiKey}`,
      'content-type': 'application/json',
      'content-length': body.length,
    }
    const sent = request({ ...options, headers })
    const end = (): void => {
      clearTimeout(late)
      underWay.delete(giveUp)
    }
    const fail = (error: Error): void => {
      end()
      reject(error)
    }
    const giveUp: GiveUp = (error) => {
      fail(error)
      sent.destroy()
    }
    const late = setTimeout(() => giveUp(new NoAnswer('timeout')), timeoutMs)
    underWay.add(giveUp)
    sent.on('error', fail)
    sent.on('response', (answer) => {
      answer.on('error', fail)
      answer.on('end', () => {
        end()
        resolve(answer.statusCode ?? 0)
      })
      answer.resume()
    })
    sent.end(body)
  })

/** One agent a node: a node whose connections are all busy keeps no other's requests waiting. */
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
      for (const { agent } of targets) agent.destroy()
    },
  }
}
