import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { ScriptError } from '../run-command.ts'
import { countTokens, messages } from './provider-anthropic.ts'
import { chatCompletions, embeddings, responses } from './provider-openai.ts'
import type { Json, ProviderRoute } from './provider-requests.ts'

/** An OpenAI and an Anthropic in one server, on a free port of this machine. */
export interface Provider {
  readonly origin: string
  /** Resolves when the client of the slow stream that contains `marker` has disconnected; rejects after `timeoutMs`. */
  whenLeft(marker: string, timeoutMs: number): Promise<void>
  /** The requests of `marker`, oldest first: every request whose body contains it. */
  requestsOf(marker: string): readonly ReceivedRequest[]
  close(): Promise<void>
}

export interface ReceivedRequest {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: Json
}

/** A prompt that contains it gets a stream that never ends; the second word names the stream. */
const SLOW = /SLOWLY ([\w-]+)/

/** `secret`: the key that requests must contain, as each API expects it. */
export const startProvider = async (secret: string): Promise<Provider> => {
  const received: (ReceivedRequest & { readonly text: string })[] = []
  const left = createMarkers()
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    const text = Buffer.concat(parts).toString()
    if (!hasSecret(request, secret)) return sendJson(response, 401, UNAUTHORIZED)
    const body: Json = JSON.parse(text)
    received.push({ path: request.url ?? '', headers: request.headers, body, text })
    respond(request.url ?? '', body, response, {
      marker: SLOW.exec(text)?.[1],
      onLeave: (marker) => left.mark(marker),
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new ScriptError('the provider has no port')
  return {
    origin: `http://127.0.0.1:${address.port}`,
    whenLeft: left.wait,
    requestsOf: (marker) => received.filter(({ text }) => text.includes(marker)),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const UNAUTHORIZED = {
  error: { message: 'the key of the upstream is missing', type: 'authentication_error' },
}

const hasSecret = ({ url, headers }: IncomingMessage, secret: string): boolean =>
  url?.startsWith('/v1/messages')
    ? headers['x-api-key'] === secret && headers.authorization === undefined
    : headers.authorization === `Bearer ${secret}` && headers['x-api-key'] === undefined

const sendJson = (response: ServerResponse, status: number, body: object): void => {
  response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'req_provider' })
  response.end(JSON.stringify(body))
}

const createMarkers = () => {
  const marked = new Set<string>()
  const waiting = new Map<string, () => void>()
  return {
    mark(marker: string): void {
      marked.add(marker)
      waiting.get(marker)?.()
    },
    wait: (marker: string, timeoutMs: number): Promise<void> =>
      new Promise((resolve, reject) => {
        const late = () => reject(new Error(`the upstream's stream ${marker} was not cancelled`))
        const timer = setTimeout(late, timeoutMs)
        const done = () => {
          clearTimeout(timer)
          resolve()
        }
        if (marked.has(marker)) done()
        else waiting.set(marker, done)
      }),
  }
}

const ROUTES: Readonly<Record<string, ProviderRoute>> = {
  '/v1/chat/completions': chatCompletions,
  '/v1/embeddings': embeddings,
  '/v1/responses': responses,
  '/v1/messages': messages,
  '/v1/messages/count_tokens': countTokens,
}

interface SlowStream {
  readonly marker: string | undefined
  readonly onLeave: (marker: string) => void
}

const respond = (
  path: string,
  body: Json,
  response: ServerResponse,
  { marker, onLeave }: SlowStream,
): void => {
  const route = ROUTES[path]
  if (route === undefined) {
    sendJson(response, 404, { error: { message: `no route ${path}`, type: 'invalid_request_error' } })
  } else if (body.stream !== true || route.events === undefined) {
    sendJson(response, 200, route.whole(body))
  } else {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': 'req_provider' })
    const events = route.events(body)
    if (marker === undefined) response.end(events.join(''))
    else neverEnd(response, events, () => onLeave(marker))
  }
}

/** Sends the events up to the first text, and then nothing until the client disconnects. */
const neverEnd = (response: ServerResponse, events: readonly string[], onLeave: () => void): void => {
  const first = events.findIndex((event) => event.includes('Hello'))
  response.write(events.slice(0, first + 1).join(''))
  response.once('close', onLeave)
}
