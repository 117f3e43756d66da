import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test } from 'vitest'
import { type ListenOptions, listen } from '../../../bin/serve/listen.ts'
import { ADMIN, createTestApp } from '../../http/test-app.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const start = async (options: Partial<ListenOptions> = {}) => {
  const listening = await listen({
    fetch: () => new Response('ok'),
    host: '127.0.0.1',
    port: 0,
    keepAliveSeconds: 65,
    ...options,
  })
  closing.push(listening.stop)
  return listening
}

const get = (url: string, agent: Agent): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    request(url, { agent }, (response) => response.resume().once('end', () => resolve(response)))
      .once('error', reject)
      .end()
  })

test('an idle connection stays open for the configured time', async () => {
  const { url } = await start({ keepAliveSeconds: 65 })
  const agent = new Agent({ keepAlive: true })
  closing.push(() => agent.destroy())
  const { headers } = await get(url, agent)
  expect(headers['keep-alive']).toBe('timeout=65')
  expect(headers.connection).toBe('keep-alive')
})

/** Responds only when the test releases it, and reports which requests have arrived. */
const heldFetch = () => {
  const waiting = new Map<string, () => void>()
  const arrivals = new Map<string, () => void>()
  const held = new Set<string>()
  return {
    fetch: async ({ url }: Request): Promise<Response> => {
      const { pathname } = new URL(url)
      if (!held.has(pathname)) return new Response(pathname)
      await new Promise<void>((resolve) => {
        waiting.set(pathname, resolve)
        arrivals.get(pathname)?.()
      })
      return new Response(pathname)
    },
    /** Resolves when the request for `path` is in flight. */
    hold: (path: string): Promise<void> => {
      held.add(path)
      return new Promise((resolve) => arrivals.set(path, resolve))
    },
    respond: (path: string): void => waiting.get(path)?.(),
  }
}

/** A keep-alive connection, byte by byte. */
const openConnection = async (url: string) => {
  const { hostname, port } = new URL(url)
  const socket: Socket = connect({ host: hostname, port: Number(port) })
  closing.push(() => socket.destroy())
  await once(socket, 'connect')
  const received = { text: '', error: undefined as Error | undefined }
  socket.setEncoding('utf8').on('data', (text) => {
    received.text += text
  })
  socket.on('error', (error) => {
    received.error = error
  })
  const closed = once(socket, 'close')
  const until = async (text: string): Promise<void> => {
    while (!received.text.includes(text)) await once(socket, 'data')
  }
  return { received, closed, until, write: (text: string) => socket.write(text) }
}

const get11 = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: any\r\n`

/** For a worker: sets `state` when all connections have sent `text`, and posts what each received: a status line or a code. */
const CONNECT_AND_SEND = `
const { connect } = require('node:net')
const { parentPort, workerData: { state, count, port, text } } = require('node:worker_threads')
let sent = 0
const send = () => new Promise((resolve) => {
  let received = ''
  const socket = connect(port, '127.0.0.1', () => socket.write(text, () => {
    sent++
    if (sent < count) return
    Atomics.store(state, 0, 1)
    Atomics.notify(state, 0)
  }))
  socket.setEncoding('utf8')
  socket.on('data', (chunk) => { received += chunk })
  socket.on('error', ({ code }) => { received ||= code })
  socket.on('close', () => resolve(received.split('\\r\\n')[0]))
})
Promise.all(Array.from({ length: count }, send)).then((all) => parentPort.postMessage(all))
`

describe('a stopping server', () => {
  test('finishes requests in flight on persistent connections with connection: close, and cuts none', async () => {
    const { fetch, hold, respond } = heldFetch()
    const { url, stop } = await start({ fetch })
    const paths = Array.from({ length: 5 }, (_, index) => `/${index}-slow`)
    const connections = await Promise.all(
      paths.map(async (path) => {
        const connection = await openConnection(url)
        connection.write(`${get11('/before')}\r\n`)
        await connection.until('/before')
        const arrived = hold(path)
        connection.write(`${get11(path)}\r\n`)
        await arrived
        return connection
      }),
    )
    const stopped = stop()
    paths.forEach(respond)
    await stopped
    await Promise.all(connections.map(({ closed }) => closed))
    for (const [index, { received }] of connections.entries()) {
      const [before, after] = received.text.split(/(?<=\/before)/)
      expect(before).toMatch(/connection: keep-alive/i)
      expect(after).toMatch(/^HTTP\/1.1 200 OK[\s\S]*connection: close/i)
      expect(after).toContain(paths[index])
      expect(received.error).toBeUndefined()
    }
  })

  test('responds to the next request of a persistent connection, and then closes it', async () => {
    const { url, stop } = await start()
    const connection = await openConnection(url)
    connection.write(`${get11('/first')}\r\n`)
    await connection.until('ok')
    const stopped = stop()
    connection.write(`${get11('/next')}\r\n`)
    await connection.closed
    expect(connection.received.text).toMatch(/connection: keep-alive[\s\S]*200 OK[\s\S]*connection: close/i)
    await stopped
  })

  test('leaves persistent connections open for their next requests when responses on others end', async () => {
    const { fetch, hold, respond } = heldFetch()
    let begin = (): void => {}
    const drains = new Promise<void>((resolve) => {
      begin = resolve
    })
    let release = (): void => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const wait = (): Promise<void> => {
      begin()
      return released
    }
    const { url, stop } = await start({ fetch, wait })
    const kept = await openConnection(url)
    kept.write(`${get11('/first')}\r\n`)
    await kept.until('/first')
    const other = await openConnection(url)
    const arrived = hold('/slow')
    other.write(`${get11('/slow')}\r\n`)
    await arrived
    const stopped = stop()
    await drains
    respond('/slow')
    await other.closed
    await new Promise((resolve) => setImmediate(resolve))
    kept.write(`${get11('/next')}\r\n`)
    await kept.closed
    expect(kept.received.text).toMatch(/200 OK[\s\S]*connection: close[\s\S]*\/next$/i)
    release()
    await stopped
  })

  test('responds to a request whose first bytes arrived before', async () => {
    const { fetch, hold, respond } = heldFetch()
    const { url, stop } = await start({ fetch })
    const other = await openConnection(url)
    const arrived = hold('/slow')
    other.write(`${get11('/slow')}\r\n`)
    const half = await openConnection(url)
    half.write(get11('/half'))
    await arrived
    const stopped = stop()
    half.write('\r\n')
    await half.closed
    expect(half.received.text).toMatch(/^HTTP\/1.1 200 OK[\s\S]*connection: close[\s\S]*\/half/i)
    respond('/slow')
    await stopped
  })

  test('responds to requests on connections that the kernel has completed and the server has not accepted', async () => {
    const { url, stop } = await start()
    // this thread is blocked until all have connected and sent, so that none is accepted before the stop
    const state = new Int32Array(new SharedArrayBuffer(4))
    const worker = new Worker(CONNECT_AND_SEND, {
      eval: true,
      workerData: { state, count: 20, port: Number(new URL(url).port), text: `${get11('/')}\r\n` },
    })
    closing.push(() => worker.terminate())
    const results = once(worker, 'message')
    expect(Atomics.wait(state, 0, 0, 60_000)).not.toBe('timed-out')
    await stop()
    expect(await results).toEqual([Array.from({ length: 20 }, () => 'HTTP/1.1 200 OK')])
  })

  test('cuts a request that does not end within the time to finish', async () => {
    const { fetch, hold, respond } = heldFetch()
    const { url, stop } = await start({ fetch, stopGraceMs: 0 })
    const endless = await openConnection(url)
    const arrived = hold('/endless')
    endless.write(`${get11('/endless')}\r\n`)
    await arrived
    await stop()
    await endless.closed
    expect(endless.received.text).toBe('')
    respond('/endless')
  })

  test('closes idle connections at once and accepts no new ones', async () => {
    const { fetch, hold, respond } = heldFetch()
    const { url, stop } = await start({ fetch })
    const idle = await openConnection(url)
    idle.write(`${get11('/')}\r\n`)
    await idle.until('200 OK')
    const busy = await openConnection(url)
    const arrived = hold('/slow')
    busy.write(`${get11('/slow')}\r\n`)
    await arrived
    const stopped = stop()
    await idle.closed
    await expect(openConnection(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    respond('/slow')
    await stopped
  })

  test('closes a connection whose response had started before, as soon as it ends', async () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const { url, stop } = await start({ fetch: () => new Response(readable) })
    const connection = await openConnection(url)
    connection.write(`POST / HTTP/1.1\r\nhost: any\r\ncontent-length: 0\r\n\r\n`)
    const writer = writable.getWriter()
    const encoder = new TextEncoder()
    await writer.write(encoder.encode('first '))
    await connection.until('first')
    const stopped = stop()
    await writer.write(encoder.encode('last'))
    await writer.close()
    await stopped
    await connection.closed
    expect(connection.received.text).toMatch(/first[\s\S]*last[\s\S]*\r\n0\r\n/)
  })

  test('ends event streams opened by a GET', async () => {
    const endless = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode('data: 1\n\n')),
    })
    const headers = { 'content-type': 'text/event-stream' }
    const { url, stop } = await start({ fetch: () => new Response(endless, { headers }) })
    const connection = await openConnection(url)
    connection.write(`${get11('/')}\r\n`)
    await connection.until('data: 1')
    await stop()
    await connection.closed
  })
})

describe('a request with Expect: 100-continue', () => {
  const BODY = '{"entity_id":"b","name":"B"}'
  const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'

  const post = (headers: Readonly<Record<string, string>>, version = '1.1'): string => {
    const all = { host: 'any', expect: '100-continue', 'content-type': 'application/json', ...headers }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
    return `POST /api/entities HTTP/${version}\r\n${lines.join('')}\r\n`
  }

  const startApp = async () => {
    const { url } = await start({ fetch: createTestApp().app.fetch })
    return openConnection(url)
  }

  test.each([
    [401, { 'content-length': '1000000' }],
    [401, { 'transfer-encoding': 'chunked' }],
    [401, { ...ADMIN, authorization: 'Bearer nobody', 'content-length': '10' }],
    [413, { ...ADMIN, 'content-length': '1048577' }],
    [415, { ...ADMIN, 'content-length': '10', 'content-type': 'text/plain' }],
  ])('gets %i without sending its body, and the connection is closed: %j', async (status, headers) => {
    const connection = await startApp()
    connection.write(post(headers))
    await connection.until('\r\n\r\n')
    expect(connection.received.text).toMatch(
      new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*connection: close`, 'i'),
    )
  })

  test.each([
    [{ 'content-length': String(BODY.length) }, BODY],
    [{ 'transfer-encoding': 'chunked' }, `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`],
  ])('gets 100 Continue once if its body is read, and its response: %j', async (headers, body) => {
    const connection = await startApp()
    connection.write(post({ ...ADMIN, ...headers }))
    await connection.until('\r\n\r\n')
    expect(connection.received.text).toBe(CONTINUE)
    connection.write(body)
    await connection.until('"entity_id":"b"')
    expect(connection.received.text).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 201 Created/)
    expect(connection.received.text).toMatch(/connection: keep-alive/i)
  })

  test('is served if its body has already arrived', async () => {
    const connection = await startApp()
    connection.write(`${post({ ...ADMIN, 'content-length': String(BODY.length) })}${BODY}`)
    await connection.until('"entity_id":"b"')
    expect(connection.received.text).toContain('HTTP/1.1 201 Created')
  })

  test('with HTTP/1.0, which has no 100 Continue, gets only its response', async () => {
    const connection = await startApp()
    connection.write(`${post({ ...ADMIN, 'content-length': String(BODY.length) }, '1.0')}${BODY}`)
    await connection.closed
    expect(connection.received.text).toMatch(/^HTTP\/1.1 201 Created/)
  })
})
