import { EventEmitter, once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import { silentLogger } from '../../../src/core/ports/platform.ts'
import { createMemoryBucketStore } from '../../../src/store/memory/bucket-store.ts'
import { eventsOf, failed, streamed, usageCharge, whole } from '../model-routes/fake-backend.ts'
import type { ReceivedResponse, SentRequest } from './both-paths.ts'
import { createLambda, type Node, type NodeOptions, startNode } from './both-paths.ts'

const running: Node[] = []

afterEach(async () => {
  for (const node of running.splice(0)) await node.stop()
})

const started = async (options: NodeOptions): Promise<Node> => {
  const node = await startNode(options)
  running.push(node)
  return node
}

const BOB = { 'x-api-key': 'the-secret-of-key-bob', 'content-type': 'application/json' }

const JSON_TYPE = { 'content-type': 'application/json' }

const CHAT = { model: 'gpt-4', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 5 }

interface Case extends Partial<Omit<SentRequest, 'body'>> {
  readonly body?: unknown
  /** Sent as it is, in place of `body`. */
  readonly text?: string
  /** Sent before, without comparison. */
  readonly before?: readonly unknown[]
  readonly options?: Partial<NodeOptions>
  readonly status: number
  /** Whether the request is left to Hono. */
  readonly isLeft?: boolean
}

const requestOf = ({ method = 'POST', path = '/v1/limits/check', headers = BOB, ...sent }: Case) => ({
  method,
  path,
  headers,
  body: sent.text ?? (sent.body === undefined ? '' : JSON.stringify(sent.body)),
})

/** What the paths write about the length of a body differs: on Lambda, API Gateway adds it. */
const withoutLength = ({ headers, ...response }: ReceivedResponse): ReceivedResponse => ({
  ...response,
  headers: headers.filter((line) => !/^(content-length|transfer-encoding):/.test(line)),
})

const onLambda = async (each: Case): Promise<ReceivedResponse> => {
  const sent = requestOf(each)
  const { app, send } = await createLambda({ ...each.options })
  app.clock.advance(1n)
  for (const body of each.before ?? []) await send({ ...sent, body: JSON.stringify(body) })
  return send(sent)
}

/** The responses of both paths to the same request, each on a node of its own. */
const onBoth = async (each: Case): Promise<readonly ReceivedResponse[]> => {
  const sent = requestOf(each)
  const responses: ReceivedResponse[] = []
  for (const isDirect of [true, false]) {
    const node = await started({ ...each.options, isDirect })
    // from then on, the key is cached
    node.app.clock.advance(1n)
    await node.app.check({ dry_run: true })
    for (const body of each.before ?? []) await node.send({ ...sent, body: JSON.stringify(body) })
    responses.push(await node.send(sent))
    if (isDirect) expect(node.left()).toBe(each.isLeft ? 1 : 0)
  }
  return responses
}

const unavailable = () => {
  const buckets = createMemoryBucketStore()
  buckets.write = () => Promise.reject(new StoreUnavailable('away', { mayHaveApplied: false }))
  return { table: { buckets } }
}

/** The bodies of both are equal, so a status is enough to tell which case it is. */
const CASES: Readonly<Record<string, Case>> = {
  'an allowed check': { body: { cost: { requests: 1 } }, status: 200 },
  'an empty object': { body: {}, status: 200 },
  'a check near its limit': { body: { cost: { requests: 9, tokens: 990 } }, status: 200 },
  'a denied check': { before: [{ cost: { requests: 10 } }], body: { cost: { requests: 2 } }, status: 429 },
  'a check that can never pass': { body: { cost: { tokens: 1001 } }, status: 429 },
  'a list': {
    body: [{ cost: { requests: 9 } }, { resource: 'gpt-4' }, { cost: { requests: 5 } }],
    status: 200,
  },
  'a list of 26': { body: Array.from({ length: 26 }, () => ({})), status: 400 },
  'a dry run': { body: { dry_run: true }, status: 200 },
  'a reservation': { body: { reserve: true, cost: { tokens: 5 } }, status: 200 },
  'an idempotency key': { before: [{ idempotency_key: 'a' }], body: { idempotency_key: 'a' }, status: 200 },
  'a reused idempotency key': {
    before: [{ idempotency_key: 'a' }],
    body: { idempotency_key: 'a', cost: { requests: 2 } },
    status: 409,
  },
  'a user in a header': { headers: { ...BOB, 'x-user-id': 'u' }, body: {}, status: 200 },
  'a byte order mark': { text: '\ufeff{}', status: 200 },
  'an unknown field': { body: { resorce: 'a' }, status: 400 },
  'a context of a caller': { body: { context: { tier: 'a' } }, status: 403 },
  'malformed JSON': { text: '{"cost":', status: 400 },
  'a number': { text: '5', status: 400 },
  'JSON that nests too deep': { text: '['.repeat(101) + ']'.repeat(101), status: 400 },
  'the largest body': { text: '{}'.padEnd(65_536), status: 200 },
  'flat errors': { body: { a: 1 }, options: { settings: { errorFormat: 'flat' } }, status: 400 },
  'an unavailable store': { body: {}, options: unavailable(), status: 503 },
  'a request id': { headers: { ...BOB, 'x-request-id': 'trace-1' }, body: {}, status: 200 },
  'a request id of another form': { headers: { ...BOB, 'x-request-id': 'a b' }, body: {}, status: 200 },
  'a node with an id': { body: {}, options: { settings: { nodeId: 'node-7' } }, status: 200 },
  'no limiter': { body: {}, options: { settings: { bypassLimiter: true } }, status: 200 },
  'a configured origin': {
    headers: { ...BOB, origin: 'https://app.example' },
    body: {},
    options: { settings: { corsOrigins: ['https://app.example'] } },
    status: 200,
  },
  'another origin': {
    headers: { ...BOB, origin: 'https://evil.example' },
    body: {},
    options: { settings: { corsOrigins: ['https://app.example'] } },
    status: 200,
  },
  'any origin': { body: { a: 1 }, options: { settings: { corsOrigins: ['*'] } }, status: 400 },
  'a local Host with the default tokens': {
    headers: { ...BOB, host: 'api.localhost:8080' },
    body: {},
    options: { settings: { isLocalOnly: true } },
    status: 200,
  },
  'a chat': { path: '/v1/chat/completions', body: CHAT, status: 200 },
  'a streamed chat': { path: '/v1/chat/completions', body: { ...CHAT, stream: true }, status: 200 },
  'a streamed chat with an origin': {
    path: '/v1/chat/completions',
    body: { ...CHAT, stream: true },
    options: { settings: { corsOrigins: ['*'], nodeId: 'node-7' } },
    status: 200,
  },
  'a denied chat': { path: '/v1/chat/completions', body: { ...CHAT, max_tokens: 2000 }, status: 429 },
  'a chat with an unknown model': {
    path: '/v1/chat/completions',
    body: { ...CHAT, model: 'gpt-none' },
    status: 404,
  },
  'a chat without messages': { path: '/v1/chat/completions', body: { model: 'gpt-4' }, status: 400 },
  'an error of the upstream': {
    path: '/v1/chat/completions',
    body: CHAT,
    options: {
      call: async () =>
        whole({ error: { message: 'bad gateway' } }, { of: 'nothing' }, 502, { 'retry-after': '7' }),
    },
    status: 502,
  },
  'a failed upstream': {
    path: '/v1/chat/completions',
    body: CHAT,
    options: { call: async () => failed({ code: 'upstream_unavailable' }, { of: 'nothing' }) },
    status: 502,
  },
  'a whole response in bytes that are not ASCII': {
    path: '/v1/chat/completions',
    body: CHAT,
    options: {
      call: async () => {
        const reply = { kind: 'whole', status: 200, headers: {}, charge: { of: 'estimate' } } as const
        return { ...reply, body: new TextEncoder().encode('{"a": "é世"}') }
      },
    },
    status: 200,
  },
  'a defect': {
    path: '/v1/chat/completions',
    body: CHAT,
    options: { call: () => Promise.reject(new Error('a secret')) },
    status: 500,
  },
}

/** Requests that Hono serves on both, so that they differ in nothing either. */
const LEFT: Readonly<Record<string, Case>> = {
  'no key': { headers: JSON_TYPE, body: {}, status: 401 },
  'a wrong key': { headers: { ...JSON_TYPE, 'x-api-key': 'nobody' }, body: {}, status: 401 },
  'two keys that differ': { headers: { ...BOB, 'api-key': 'other' }, body: {}, status: 401 },
  'one header twice': {
    headers: { ...JSON_TYPE, 'x-api-key': ['the-secret-of-key-bob', 'other'] },
    body: {},
    status: 401,
  },
  'Authorization twice': {
    headers: { ...JSON_TYPE, Authorization: ['Bearer the-secret-of-key-bob', 'Bearer other'] },
    body: {},
    status: 401,
  },
  'an admin without an entity': {
    headers: { ...JSON_TYPE, authorization: 'Bearer the-admin-token' },
    body: {},
    status: 400,
  },
  'an admin for an entity': {
    headers: { ...JSON_TYPE, authorization: 'Bearer the-admin-token', 'x-zael-entity': 'key-bob' },
    body: {},
    status: 200,
  },
  'a viewer': { headers: { ...JSON_TYPE, authorization: 'Bearer the-viewer-token' }, body: {}, status: 403 },
  'no body': { headers: { ...BOB, 'content-length': '0' }, status: 400 },
  'a body without a length': { headers: { ...BOB, 'transfer-encoding': 'chunked' }, body: {}, status: 200 },
  'a body that is too large': { text: '{}'.padEnd(65_537), status: 413 },
  'a body of another type': { headers: { ...BOB, 'content-type': 'text/plain' }, body: {}, status: 415 },
  'a compressed body': { headers: { ...BOB, 'content-encoding': 'gzip' }, body: {}, status: 415 },
  'a GET': { method: 'GET', status: 405 },
  'a HEAD': { method: 'HEAD', status: 405 },
  'an OPTIONS': { method: 'OPTIONS', status: 405 },
  'a preflight request': {
    method: 'OPTIONS',
    headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
    options: { settings: { corsOrigins: ['https://app.example'] } },
    status: 204,
  },
  'a query': { path: '/v1/limits/check?a=1', body: {}, status: 200 },
  'a path with a slash at its end': { path: '/v1/limits/check/', body: {}, status: 404 },
  'an encoded path': { path: '/v1/limits/chec%6b', body: {}, status: 200 },
  'another route': { path: '/v1/limits/settle', body: { reservation_id: 'a', cost: {} }, status: 404 },
  'a foreign Host with the default tokens': {
    headers: { ...BOB, host: 'evil.example' },
    body: {},
    options: { settings: { isLocalOnly: true } },
    status: 403,
  },
  'a foreign Origin with the default tokens': {
    headers: { ...BOB, host: 'localhost', origin: 'https://evil.example' },
    body: {},
    options: { settings: { isLocalOnly: true } },
    status: 403,
  },
}

/** The same, but API Gateway does not pass them on. */
const BEFORE_LAMBDA: Readonly<Record<string, Case>> = {
  'an invalid Host': { headers: { ...BOB, host: 'a b' }, body: {}, status: 400 },
  'an invalid IPv6 address as its Host': { headers: { ...BOB, host: '[1:::2]' }, body: {}, status: 400 },
  'an invalid IPv4 address and a port as its Host': {
    headers: { ...BOB, host: '999.1.1.1:80' },
    body: {},
    status: 400,
  },
  'a Host with an invalid port': { headers: { ...BOB, host: 'localhost:99999' }, body: {}, status: 400 },
}

describe('the direct path, Hono and a Lambda respond in the same way to', () => {
  test.each(Object.entries(CASES))('%s', async (_, each) => {
    const [direct, ordinary] = await onBoth(each)
    expect(direct).toEqual(ordinary)
    expect(direct?.status).toBe(each.status)
    expect(withoutLength(await onLambda(each))).toEqual(direct && withoutLength(direct))
  })

  test.each(Object.entries(LEFT))('%s, which is left to Hono', async (_, each) => {
    const [direct, ordinary] = await onBoth({ ...each, isLeft: true })
    expect(direct).toEqual(ordinary)
    expect(direct?.status).toBe(each.status)
    expect(withoutLength(await onLambda(each))).toEqual(direct && withoutLength(direct))
  })

  test.each(Object.entries(BEFORE_LAMBDA))('%s, on a Node server', async (_, each) => {
    const [direct, ordinary] = await onBoth({ ...each, isLeft: true })
    expect(direct).toEqual(ordinary)
    expect(direct?.status).toBe(each.status)
  })
})

test('a key that is not cached is read once, and its request is served directly', async () => {
  const node = await started({ isDirect: true })
  node.app.clock.advance(1n)
  let reads = 0
  const { apiKey } = node.app.store
  node.app.store.apiKey = (hash) => {
    reads += 1
    return apiKey(hash)
  }
  for (let at = 0; at < 2; at++)
    expect((await node.send(requestOf({ body: {}, status: 200 }))).status).toBe(200)
  expect([reads, node.left()]).toEqual([1, 0])
})

test('a client that disconnects while its key is read is not waited for', async () => {
  const events = new EventEmitter()
  const logged = once(events, 'debug')
  const logger = { ...silentLogger, debug: (...line: unknown[]) => void events.emit('debug', ...line) }
  const { url, app } = await started({ isDirect: true, logger })
  app.clock.advance(1n)
  const { apiKey } = app.store
  const reading = once(events, 'reading')
  app.store.apiKey = async (hash) => {
    const gone = once(events, 'gone')
    events.emit('reading')
    await gone
    return apiKey(hash)
  }
  const { socket } = await connected(url)
  socket.write(rawRequest('{"cost":', '/v1/limits/check', 100))
  await reading
  socket.destroy()
  // the server receives the end of the connection within these turns
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  events.emit('gone')
  expect(await logged).toMatchObject(['client disconnected before the end of its body', {}])
  expect(await app.stored()).toEqual({})
})

const MOST_KEPT = 30_000

/** A connection, byte by byte; the last characters that it has received. */
const connected = async (url: string) => {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
  await once(socket, 'connect')
  let received = ''
  socket.setEncoding('utf8').on('data', (chunk) => {
    received = (received + chunk).slice(-MOST_KEPT)
  })
  const until = async (pattern: RegExp): Promise<string> => {
    while (!pattern.test(received)) await once(socket, 'data')
    return received
  }
  return { socket, until }
}

const rawRequest = (body: string, path = '/v1/limits/check', length = body.length): string =>
  [
    `POST ${path} HTTP/1.1`,
    'Host: localhost',
    'X-API-Key: the-secret-of-key-bob',
    'Content-Type: application/json',
    `Content-Length: ${length}`,
    '',
    body,
  ].join('\r\n')

describe.each([true, false])('a connection (direct: %s)', (isDirect) => {
  test('gets the responses to pipelined requests in their order', async () => {
    const { url } = await started({ isDirect })
    const { socket, until } = await connected(url)
    socket.write([1, 2, 3].map((requests) => rawRequest(JSON.stringify({ cost: { requests } }))).join(''))
    const received = await until(/"used":6/)
    expect([...received.matchAll(/"limit_name":"rpm",.*?"used":(\d+)/g)].map(([, used]) => used)).toEqual([
      '1',
      '3',
      '6',
    ])
    socket.destroy()
  })

  test.each(['GARBAGE\r\n\r\n', '\0\x01', 'POST / HTTP/9.9\r\n\r\n'])(
    'that sends %j behind a request is closed after its response, and charged once at most',
    async (garbage) => {
      const { url, app } = await started({ isDirect })
      const { socket, until } = await connected(url)
      const ended = once(socket, 'end')
      socket.write(rawRequest('{}') + garbage)
      const received = await until(/400 Bad Request/)
      await ended
      socket.destroy()
      const statuses = [...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)
      // the request is valid: it is decided, even if its response comes too late
      expect(['200 400', '400']).toContain(statuses.join(' '))
      expect((await app.stored()).used_requests ?? 0n).toBeLessThanOrEqual(1n)
    },
  )

  test('that is half closed after its request gets its response', async () => {
    const { url } = await started({ isDirect })
    const { socket, until } = await connected(url)
    socket.end(rawRequest('{}'))
    expect(await until(/"used":1/)).toMatch(/^HTTP\/1.1 200 OK/)
    await once(socket, 'end')
  })

  test('that ends before its body charges nothing, and its end is logged at debug level', async () => {
    const events = new EventEmitter()
    const logged = once(events, 'debug')
    const logger = { ...silentLogger, debug: (...line: unknown[]) => void events.emit('debug', ...line) }
    const { url, app } = await started({ isDirect, logger })
    const { socket } = await connected(url)
    socket.write(rawRequest('{"cost":', '/v1/limits/check', 100))
    socket.end()
    expect(await logged).toMatchObject([
      'client disconnected before the end of its body',
      { method: 'POST', path: '/v1/limits/check', requestId: expect.stringMatching(/^req_/) },
    ])
    expect(await app.stored()).toEqual({})
  })

  test('that ends in the middle of a stream stops the model, and is charged for its output', async () => {
    const events = new EventEmitter()
    const aborted = once(events, 'aborted')
    const generated = eventsOf(['0'], { of: 'estimate' }, usageCharge(8, 1))
    let isFirst = true
    const call = async () =>
      streamed({
        ...generated,
        next() {
          if (!isFirst) return new Promise(() => {})
          isFirst = false
          return generated.next()
        },
        cancel: () => events.emit('aborted'),
      })
    const { url, app } = await started({ isDirect, call })
    const { socket, until } = await connected(url)
    socket.write(rawRequest(JSON.stringify({ ...CHAT, stream: true }), '/v1/chat/completions'))
    await until(/"piece":"0"/)
    socket.destroy()
    await aborted
    while ((await app.stored('gpt-4')).used_tokens !== 9n)
      await new Promise((resolve) => setImmediate(resolve))
  })

  test('of a stopping server gets the response to its request, and is closed', async () => {
    const events = new EventEmitter()
    const called = once(events, 'called')
    const call = async () => {
      const released = once(events, 'release')
      events.emit('called')
      await released
      return whole({ id: 'late' }, usageCharge(8, 1))
    }
    const { url, app, stop } = await started({ isDirect, call })
    const { socket, until } = await connected(url)
    const ended = once(socket, 'end')
    socket.write(rawRequest(JSON.stringify(CHAT), '/v1/chat/completions'))
    await called
    const stopped = stop()
    events.emit('release')
    expect(await until(/"late"/)).toMatch(/^HTTP\/1.1 200 OK[\s\S]*connection: close/i)
    await ended
    socket.end()
    await stopped
    expect(await app.stored('gpt-4')).toMatchObject({ used_tokens: 9n })
  })

  test('that does not read its stream stops the model from generating more', async () => {
    const generated = { chunks: 0 }
    const all = eventsOf(Array(1999).fill('x'.repeat(20_000)), usageCharge(8, 1))
    const next = async () => {
      generated.chunks += 1
      return all.next()
    }
    const { url } = await started({ isDirect, call: async () => streamed({ ...all, next }) })
    const { socket, until } = await connected(url)
    socket.pause()
    socket.write(rawRequest(JSON.stringify({ ...CHAT, stream: true }), '/v1/chat/completions'))
    let before = -1
    while (generated.chunks === 0 || generated.chunks > before) {
      before = generated.chunks
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
    expect(generated.chunks).toBeLessThan(2000)
    socket.resume()
    await until(/\[DONE\]/)
    expect(generated.chunks).toBe(2000)
    socket.destroy()
  })

  test('that ends without having read its stream stops the model', async () => {
    const events = new EventEmitter()
    const cancelled = once(events, 'cancelled')
    let chunks = 0
    const all = eventsOf(Array(1999).fill('x'.repeat(20_000)), usageCharge(8, 1))
    const next = async () => {
      chunks += 1
      return all.next()
    }
    const cancel = () => void events.emit('cancelled')
    const { url } = await started({ isDirect, call: async () => streamed({ ...all, next, cancel }) })
    const { socket } = await connected(url)
    socket.pause()
    socket.write(rawRequest(JSON.stringify({ ...CHAT, stream: true }), '/v1/chat/completions'))
    let before = -1
    while (chunks === 0 || chunks > before) {
      before = chunks
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
    socket.destroy()
    await cancelled
    expect(chunks).toBeLessThan(2000)
  })
})

test('failed authentications are counted once per request', async () => {
  const node = await started({ isDirect: true })
  const sent = requestOf({ headers: { ...JSON_TYPE, 'x-api-key': 'nobody' }, body: {}, status: 401 })
  const statuses = new Set<number | undefined>()
  for (let at = 0; at < 60; at++) statuses.add((await node.send(sent)).status)
  expect([...statuses]).toEqual([401])
  expect((await node.send(sent)).status).toBe(429)
})
