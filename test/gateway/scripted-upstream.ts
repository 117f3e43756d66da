import type { IncomingMessage, ServerResponse } from 'node:http'
import { startServer } from '../support/loopback-server.ts'

export interface Received {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: Readonly<Record<string, unknown>>
}

/** Responds to a request whose body was read. */
export type Script = (received: Received, response: ServerResponse) => void

/** An upstream that answers by a script, on a port of this machine. */
export const startUpstream = async (script: Script) => {
  const received: Received[] = []
  const { origin } = await startServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    const body: Received['body'] = JSON.parse(Buffer.concat(parts).toString())
    const all = { path: request.url ?? '', headers: request.headers, body }
    received.push(all)
    script(all, response)
  })
  return { origin, baseUrl: `${origin}/v1`, received }
}

export const json =
  (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Script =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }

/** Sends events as they are, then ends. */
export const events =
  (...parts: readonly string[]): Script =>
  (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const part of parts) response.write(part)
    response.end()
  }

/** Closes the connection without a response. */
export const resets: Script = (_, response) => void response.destroy()

/** Never responds. */
export const silent: Script = () => undefined

export const aChunk = (content: string, rest: object = {}): string =>
  `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta: { content }, finish_reason: null }], ...rest })}\n\n`

export const LAST_CHUNK = `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\n`

export const DONE = 'data: [DONE]\n\n'

export const anAnswer = (content: string, usage?: object) => ({
  id: 'c',
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
  ...(usage && { usage }),
})
