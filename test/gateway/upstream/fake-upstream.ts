import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface FakeUpstream {
  readonly baseUrl: string
  /** The requests it received, oldest first. */
  readonly received: {
    readonly path: string
    readonly headers: IncomingMessage['headers']
    readonly body: unknown
  }[]
}

/** An OpenAI-compatible server on a loopback port that responds with `respond`, closed when the test ends. */
export const startFakeUpstream = async (
  respond: (response: ServerResponse) => void,
): Promise<FakeUpstream> => {
  const received: FakeUpstream['received'] = []
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    const body: unknown = JSON.parse(Buffer.concat(parts).toString())
    received.push({ path: request.url ?? '', headers: request.headers, body })
    respond(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return { baseUrl: `http://127.0.0.1:${port}/v1`, received }
}

export const respondsJson =
  (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  (response: ServerResponse): void => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(body))
  }

/** Streams `events` unchanged, then ends, or stays open if `stays`. */
export const respondsEvents =
  (events: readonly string[], { stays = false } = {}) =>
  (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
    for (const event of events) response.write(`data: ${event}\n\n`)
    if (!stays) response.end()
  }
