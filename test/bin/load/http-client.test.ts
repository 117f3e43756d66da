import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { createHttpClient, type HttpClientOptions, NoResponse } from '../../../bin/load/http-client.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const serve = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}`
}

const open = (nodes: readonly string[], options: Partial<HttpClientOptions> = {}) => {
  const client = createHttpClient({
    nodes,
    path: '/v1',
    connectionsPerNode: 1,
    timeoutMs: 60_000,
    ...options,
  })
  closing.push(client.close)
  return client
}

const request = { node: 0, apiKey: 'key', body: Buffer.from('{"a":1}') }

const kindOf = async (response: Promise<number>): Promise<string> => {
  const error: unknown = await response.catch((reason: unknown) => reason)
  if (!(error instanceof NoResponse)) throw error
  return error.kind
}

test('the client sends body and key, below the path of the node, over a persistent connection', async () => {
  const seen: unknown[] = []
  const sockets = new Set<unknown>()
  const url = await serve(async (incoming, response) => {
    const chunks = await incoming.toArray()
    const { method, headers } = incoming
    sockets.add(incoming.socket)
    seen.push([method, incoming.url, headers.authorization, headers['content-type'], String(chunks)])
    response.writeHead(429).end('{}')
  })
  const client = open([`${url}/stage`])
  expect([await client.send(request), await client.send(request)]).toEqual([429, 429])
  expect(seen[0]).toEqual(['POST', '/stage/v1', 'Bearer key', 'application/json', '{"a":1}'])
  expect(sockets.size).toBe(1)
})

test('the client returns the cause if there is no response', async () => {
  const refusing = await serve((incoming) => incoming.socket.destroy())
  expect(await kindOf(open([refusing]).send(request))).toBe('UND_ERR_SOCKET')
  expect(await kindOf(open(['http://127.0.0.1:9']).send(request))).toBe('ECONNREFUSED')
})

test('the client times out a response that does not end, and a request that waits for a connection', async () => {
  const url = await serve((_, response) => response.writeHead(200).write('{'))
  const client = open([url], { timeoutMs: 50 })
  expect(await Promise.all([kindOf(client.send(request)), kindOf(client.send(request))])).toEqual([
    'timeout',
    'timeout',
  ])
})

test('the client aborts requests in flight and waiting when it is closed', async () => {
  const arrived = new EventTarget()
  const url = await serve(() => arrived.dispatchEvent(new Event('request')))
  const client = open([url])
  const responses = [kindOf(client.send(request)), kindOf(client.send(request))]
  await once(arrived, 'request')
  client.close()
  expect(await Promise.all(responses)).toEqual(['unfinished', 'unfinished'])
})
