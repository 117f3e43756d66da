import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { DEFAULT_TIMEOUTS, type UpstreamTimeouts } from '../../../src/core/model/upstream.ts'
import { createUpstreamConnection } from '../../../src/gateway/upstream/connection.ts'
import type { UpstreamRequest, UpstreamResponse } from '../../../src/gateway/upstream/exchange.ts'
import { startServer } from '../../support/loopback-server.ts'

const connectTo = (origin: string, timeouts: Partial<UpstreamTimeouts> = {}) => {
  const connection = createUpstreamConnection({ origin, timeouts: { ...DEFAULT_TIMEOUTS, ...timeouts } })
  onTestFinished(() => connection.close())
  return connection
}

const requestOf = (request: Partial<UpstreamRequest> = {}): UpstreamRequest => ({
  path: '/v1/chat/completions',
  body: '{"model":"gpt-4"}',
  headers: { 'content-type': 'application/json' },
  signal: new AbortController().signal,
  ...request,
})

const bytesOf = async (response: UpstreamResponse): Promise<string> => {
  const parts: Uint8Array[] = []
  for (let bytes = await response.read(); bytes !== undefined; bytes = await response.read())
    parts.push(bytes)
  return Buffer.concat(parts).toString()
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

const responds =
  (status: number, headers: Record<string, string | string[]>, body: string): Handler =>
  (_, response) =>
    void response.writeHead(status, headers).end(body)

/** A server whose response and connection the test controls. */
const heldResponse = async () => {
  let arrive: (response: ServerResponse) => void = () => undefined
  const arrived = new Promise<{ readonly response: ServerResponse }>((resolve) => {
    arrive = (response) => resolve({ response })
  })
  const { origin } = await startServer((_, response) => arrive(response))
  return { origin, arrived }
}

/** Timers and their clock stand still, connections do not. */
const stopTime = () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
}

describe('an exchange', () => {
  test('sends the request as it is, and reads status, headers and body', async () => {
    const received: { method?: string; url?: string; headers: IncomingMessage['headers']; body: string }[] =
      []
    const { origin } = await startServer(async (request, response) => {
      const parts: Buffer[] = []
      for await (const part of request) parts.push(part)
      const { method = '', url = '', headers } = request
      received.push({ method, url, headers, body: Buffer.concat(parts).toString() })
      response.writeHead(200, { 'content-type': 'text/plain', via: ['a', 'b'] }).end('héllo')
    })
    const response = await connectTo(origin).send(requestOf({ body: '{"é":1}', headers: { 'x-a': 'b' } }))
    expect(response.status).toBe(200)
    expect(response.headers).toMatchObject({ 'content-type': 'text/plain', via: 'a, b' })
    expect(await bytesOf(response)).toBe('héllo')
    expect(await response.read()).toBeUndefined()
    expect(received).toMatchObject([
      { method: 'POST', url: '/v1/chat/completions', headers: { 'x-a': 'b' }, body: '{"é":1}' },
    ])
  })

  test('keeps its connection for the next one', async () => {
    const ports = new Set<number | undefined>()
    const { origin } = await startServer((request, response) => {
      ports.add(request.socket.remotePort)
      response.end('ok')
    })
    const connection = connectTo(origin)
    for (let i = 0; i < 3; i++) {
      await bytesOf(await connection.send(requestOf()))
      // undici frees the connection after it has delivered the end
      await new Promise(setImmediate)
    }
    expect(ports.size).toBe(1)
  })

  test('does not follow a redirect', async () => {
    const other = await startServer(responds(200, {}, 'other'))
    const { origin } = await startServer(responds(307, { location: other.origin }, 'moved'))
    const response = await connectTo(origin).send(requestOf())
    expect([response.status, await bytesOf(response)]).toEqual([307, 'moved'])
  })

  test('skips informational responses', async () => {
    const { origin } = await startServer((_, response) => {
      response.writeEarlyHints({ link: '</a>; rel=preload' })
      response.writeHead(201).end('made')
    })
    const response = await connectTo(origin).send(requestOf())
    expect([response.status, await bytesOf(response)]).toEqual([201, 'made'])
  })

  test('stops reading while its reader does not read', async () => {
    const { origin, arrived } = await heldResponse()
    const sending = connectTo(origin).send(requestOf())
    const { response: outgoing } = await arrived
    const part = Buffer.alloc(64 * 1024)
    let sent = 0
    // until the buffers of the sockets are full: a reader that takes everything would let this run for ever
    while (sent < 4_000 && (outgoing.write(part) || (await drainsSoon(outgoing)))) sent += 1
    expect(sent).toBeLessThan(4_000)
    const response = await sending
    let received = 0
    while (received < sent * part.length) received += (await response.read())?.byteLength ?? 0
    outgoing.end('end')
    expect((await bytesOf(response)).endsWith('end')).toBe(true)
  })
})

/** Whether the connection takes more bytes within some turns of the event loop. */
const drainsSoon = async (outgoing: ServerResponse): Promise<boolean> => {
  for (let turn = 0; turn < 200 && outgoing.writableNeedDrain; turn++) await new Promise(setImmediate)
  return !outgoing.writableNeedDrain
}

/** Reads a whole response, and waits until its connection is free. */
const exchanged = async (
  connection: ReturnType<typeof connectTo>,
  request: Partial<UpstreamRequest> = {},
): Promise<string> => {
  const body = await bytesOf(await connection.send(requestOf(request)))
  await new Promise(setImmediate)
  return body
}

/** A server that responds to the first request of each connection, and treats the later ones as told. Counts all requests. */
const serverWithStale = async (onLater: Handler, onFirst: Handler = responds(200, {}, 'ok')) => {
  const known = new Set<IncomingMessage['socket']>()
  const counts = { requests: 0, connections: 0 }
  const { origin } = await startServer((request, response) => {
    counts.requests += 1
    if (known.has(request.socket)) return onLater(request, response)
    known.add(request.socket)
    counts.connections += 1
    return onFirst(request, response)
  })
  return { origin, counts }
}

describe('a connection that was kept', () => {
  test.each([
    ['resets', ({ socket }: IncomingMessage) => void socket.resetAndDestroy()],
    ['closes', ({ socket }: IncomingMessage) => void socket.end()],
  ])('and that the upstream %s: the request is sent once more, on a new one', async (_, close) => {
    const { origin, counts } = await serverWithStale(close)
    const connection = connectTo(origin)
    await exchanged(connection)
    expect(await exchanged(connection)).toBe('ok')
    expect(counts).toEqual({ requests: 3, connections: 2 })
  })

  test('leaves responses in progress alone when another one is stale', async () => {
    const open: ServerResponse[] = []
    const { origin } = await serverWithStale(
      ({ url, socket }, response) => {
        if (url === '/held') open.push(response.writeHead(200))
        else socket.resetAndDestroy()
        response.flushHeaders()
      },
      (_, response) => void response.end('ok'),
    )
    const connection = connectTo(origin)
    await Promise.all([exchanged(connection), exchanged(connection)])
    const held = await connection.send(requestOf({ path: '/held' }))
    expect(await exchanged(connection)).toBe('ok')
    open[0]?.end('whole')
    expect(await bytesOf(held)).toBe('whole')
  })

  test('sends nothing twice if the new connection is reset as well', async () => {
    let served = 0
    const { origin, counts } = await serverWithStale(
      ({ socket }) => void socket.resetAndDestroy(),
      ({ socket }, response) => void (served++ === 0 ? response.end('ok') : socket.resetAndDestroy()),
    )
    const connection = connectTo(origin)
    await exchanged(connection)
    const failing = connection.send(requestOf())
    await expect(failing).rejects.toMatchObject({ failure: 'reset', wasSent: true, wasStale: false })
    expect(counts).toEqual({ requests: 3, connections: 2 })
  })

  test('counts the request as sent if no new connection can be made', async () => {
    const server = createHttpServer((_, response) => void response.end('ok')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const connection = connectTo(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`)
    await exchanged(connection)
    server.removeAllListeners('request')
    server.once('request', ({ socket }) => {
      server.close()
      socket.resetAndDestroy()
    })
    await expect(connection.send(requestOf())).rejects.toMatchObject({ failure: 'connect', wasSent: true })
  })

  test('fails if it is reset a second after the request was sent, or after the first byte', async () => {
    stopTime()
    const { origin, counts } = await serverWithStale(({ url, socket }, response) => {
      if (url === '/late') {
        vi.advanceTimersByTime(1_000)
        socket.resetAndDestroy()
      } else response.writeEarlyHints({ link: '</a>; rel=preload' }, () => socket.end())
    })
    const connection = connectTo(origin)
    for (const path of ['/late', '/hinted']) {
      await exchanged(connection)
      await expect(connection.send(requestOf({ path }))).rejects.toMatchObject({ failure: 'reset' })
    }
    expect(counts).toEqual({ requests: 4, connections: 2 })
  })

  test('is closed if the upstream sends more than one response: the next caller does not receive it', async () => {
    let requests = 0
    const answer = (text: string) => `HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined)
      socket.on('data', () => {
        requests += 1
        socket.write(requests === 1 ? answer('first') + answer('of another caller') : answer('second'))
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const address = server.address()
    const connection = connectTo(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`)
    expect(await bytesOf(await connection.send(requestOf()))).toBe('first')
    expect(await bytesOf(await connection.send(requestOf()))).toBe('second')
    expect(requests).toBe(2)
  })

  test('is not a new one: the first request of a connection is never sent again', async () => {
    const { origin, counts } = await serverWithStale(
      () => undefined,
      ({ socket }) => void socket.resetAndDestroy(),
    )
    await expect(connectTo(origin).send(requestOf())).rejects.toMatchObject({ failure: 'reset' })
    expect(counts.requests).toBe(1)
  })
})

describe('an exchange fails', () => {
  test('if nothing listens, before it was sent', async () => {
    const server = createTcpServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    server.close()
    await once(server, 'close')
    const sending = connectTo(`http://127.0.0.1:${port}`).send(requestOf())
    await expect(sending).rejects.toMatchObject({ failure: 'connect', wasSent: false })
  })

  test('if the upstream closes the connection, before its headers and after them', async () => {
    const { origin } = await startServer((request, response) => {
      if (request.url === '/early') return request.socket.destroy()
      response.write('half', () => response.destroy())
    })
    const connection = connectTo(origin)
    const early = connection.send(requestOf({ path: '/early' }))
    await expect(early).rejects.toMatchObject({ failure: 'reset', wasSent: true })
    const response = await connection.send(requestOf())
    expect(String(await response.read())).toBe('half')
    await expect(response.read()).rejects.toMatchObject({ failure: 'reset', wasSent: true })
  })

  test('if its body ends before its length', async () => {
    const { origin } = await startServer((_, response) => {
      response.writeHead(200, { 'content-length': 100 })
      response.write('half', () => response.destroy())
    })
    await expect(connectTo(origin).send(requestOf()).then(bytesOf)).rejects.toMatchObject({
      failure: 'reset',
    })
  })

  test.each([
    ['first_byte', { firstByteSeconds: 5 }, 'after the headers'],
    ['total', { totalSeconds: 5 }, 'after a byte'],
    ['idle', { idleSeconds: 5 }, 'after a byte'],
  ] as const)('with %s after its time, %o', async (failure, timeouts, point) => {
    stopTime()
    const { origin, arrived } = await heldResponse()
    const sending = connectTo(origin, timeouts).send(requestOf())
    const { response: outgoing } = await arrived
    if (point === 'after the headers') outgoing.flushHeaders()
    else outgoing.write('a')
    const response = await sending
    if (point === 'after a byte') await response.read()
    const closed = once(outgoing, 'close')
    const reading = response.read()
    await vi.advanceTimersByTimeAsync(4_990)
    expect(outgoing.closed).toBe(false)
    const failed = expect(reading).rejects.toMatchObject({ failure, wasSent: true })
    await vi.advanceTimersByTimeAsync(20)
    await failed
    await closed
  })

  test('without headers, after the time for the first byte', async () => {
    stopTime()
    const { origin, arrived } = await heldResponse()
    const failed = expect(
      connectTo(origin, { firstByteSeconds: 700 }).send(requestOf()),
    ).rejects.toMatchObject({
      failure: 'first_byte',
      wasSent: true,
    })
    await arrived
    await vi.advanceTimersByTimeAsync(700_001)
    await failed
  })

  test('with silence only: any byte ends it, and so does a reader that takes long', async () => {
    stopTime()
    const { origin, arrived } = await heldResponse()
    const sending = connectTo(origin, { idleSeconds: 5 }).send(requestOf())
    const { response: outgoing } = await arrived
    for (let second = 0; second < 20; second += 4) {
      outgoing.write(':')
      await (await sending).read()
      await vi.advanceTimersByTimeAsync(4_000)
    }
    const part = Buffer.alloc(128 * 1024)
    outgoing.write(part)
    const response = await sending
    let received = (await response.read())?.byteLength ?? 0
    await new Promise(setImmediate)
    // paused now, with bytes that wait
    await drainsSoon(outgoing)
    await vi.advanceTimersByTimeAsync(60_000)
    while (received < part.length) received += (await response.read())?.byteLength ?? 0
    outgoing.end()
    expect(await response.read()).toBeUndefined()
  })
})

describe('a caller that disconnects ends the exchange', () => {
  test('before it is sent', async () => {
    let requests = 0
    const { origin } = await startServer((_, response) => {
      requests += 1
      response.end()
    })
    const connection = connectTo(origin)
    const gone = AbortSignal.abort()
    await expect(connection.send(requestOf({ signal: gone }))).rejects.toMatchObject({
      failure: 'aborted',
      wasSent: false,
    })
    // while it connects
    const caller = new AbortController()
    const sending = connection.send(requestOf({ signal: caller.signal }))
    caller.abort()
    await expect(sending).rejects.toMatchObject({ failure: 'aborted', wasSent: false })
    await bytesOf(await connection.send(requestOf()))
    expect(requests).toBe(1)
  })

  test('in the same turn, while it waits for headers or for a byte', async () => {
    for (const isStarted of [false, true]) {
      const { origin, arrived } = await heldResponse()
      const caller = new AbortController()
      const sending = connectTo(origin).send(requestOf({ signal: caller.signal }))
      const { response: outgoing } = await arrived
      if (isStarted) outgoing.flushHeaders()
      const reading = isStarted ? (await sending).read() : sending
      const closed = once(outgoing, 'close')
      const failed = expect(reading).rejects.toMatchObject({ failure: 'aborted', wasSent: true })
      caller.abort()
      await failed
      await closed
    }
  })

  test('after a garbage collection', async () => {
    const { setFlagsFromString } = await import('node:v8')
    setFlagsFromString('--expose-gc')
    const collect: unknown = (await import('node:vm')).runInNewContext('gc')
    const { origin, arrived } = await heldResponse()
    const caller = new AbortController()
    const sending = connectTo(origin).send(requestOf({ signal: caller.signal }))
    const { response: outgoing } = await arrived
    outgoing.flushHeaders()
    const response = await sending
    for (let i = 0; i < 3 && typeof collect === 'function'; i++) {
      collect()
      await new Promise(setImmediate)
    }
    const closed = once(outgoing, 'close')
    caller.abort()
    await closed
    await expect(response.read()).rejects.toMatchObject({ failure: 'aborted' })
  })

  test('and `cancel` does the same', async () => {
    const { origin, arrived } = await heldResponse()
    const sending = connectTo(origin).send(requestOf())
    const { response: outgoing } = await arrived
    outgoing.write('never read')
    const response = await sending
    const closed = once(outgoing, 'close')
    response.cancel()
    await closed
    await expect(response.read()).rejects.toMatchObject({ failure: 'aborted' })
  })

  test('but leaves nothing behind once the response has ended', async () => {
    const { origin } = await startServer(responds(200, {}, 'ok'))
    const listeners = new Set<unknown>()
    const signal = {
      aborted: false,
      addEventListener: (_: string, listener: unknown) => void listeners.add(listener),
      removeEventListener: (_: string, listener: unknown) => void listeners.delete(listener),
    }
    await bytesOf(await connectTo(origin).send(requestOf({ signal })))
    expect(listeners.size).toBe(0)
  })
})
