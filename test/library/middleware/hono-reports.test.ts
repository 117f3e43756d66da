import { type Context, Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { rateLimit } from '../../../src/library/hono.ts'
import { byResponse, createRateLimiter } from '../../../src/library/index.ts'
import { createTestClock, SECOND } from '../../core/test-clock.ts'
import { createTableWorld } from '../table-world.ts'
import { createReportsLog } from './reports-log.ts'
import { createTestApp, ok, unavailableStore } from './test-app.ts'

describe('shadow mode', () => {
  test('denies no request, and reports those that it would have denied', async () => {
    const { statuses, send, log } = createTestApp({ shadow: true })
    expect(await statuses(12)).toEqual(ok(12))
    const { headers } = await send()
    expect(headers.get('x-ratelimit-shadow')).toBe('denied')
    expect(headers.get('x-ratelimit-remaining')).toBe('0')
    expect(headers.has('retry-after')).toBe(false)
    expect(log.denials).toHaveLength(3)
    expect(log.denials[0]).toMatchObject({ key: '203.0.113.7', shadow: true })
    expect(log.counted.filter((name) => name === 'shadow_denied')).toHaveLength(3)
    expect(log.logged.filter((line) => line === 'request would have been denied')).toHaveLength(1)
  })

  test('passes requests that cannot be decided', async () => {
    const failing = () => {
      throw new Error('no key')
    }
    const { statuses, log } = createTestApp({ shadow: true, key: failing })
    expect(await statuses(1)).toEqual([200])
    expect(log.logged).toEqual(['request passed without a decision'])
  })

  test('passes requests while the store is unavailable', async () => {
    const { statuses } = createTestApp({ shadow: true, store: unavailableStore() })
    expect(await statuses(1)).toEqual([200])
  })
})

test('an unavailable store results in 503 and a short wait', async () => {
  const { send } = createTestApp({ store: unavailableStore() })
  const denied = await send()
  expect(denied.status).toBe(503)
  expect(denied.headers.get('retry-after')).toBe('1')
  expect(denied.headers.get('x-zael-degraded')).toBe('true')
  expect(await denied.json()).toMatchObject({ error: 'unavailable' })
})

describe('warnings', () => {
  test('start at 80 %: header, log line, metric and callback', async () => {
    const { send, statuses, log } = createTestApp()
    await statuses(6)
    expect((await send()).headers.has('x-ratelimit-warning')).toBe(false)
    expect(log.warnings).toEqual([])
    expect((await send()).headers.get('x-ratelimit-warning')).toBe('rps;used=8;limit=10')
    expect((await send()).headers.get('x-ratelimit-warning')).toBe('rps;used=9;limit=10')
    expect(log.warnings).toMatchObject([
      { key: '203.0.113.7', percent: 80, exceeded: false, limit: { name: 'rps', used: 8, capacity: 10 } },
    ])
    expect(log.counted.filter((name) => name === 'limits_near')).toHaveLength(2)
    expect(log.logged).toEqual(['limit nearly used up'])
  })

  test('are repeated after a minute, separately for each key', async () => {
    const { statuses, log, clock } = createTestApp()
    await statuses(9)
    await statuses(9, '/', {}, '203.0.113.8')
    expect(log.warnings.map(({ key }) => key)).toEqual(['203.0.113.7', '203.0.113.8'])
    clock.advance(61n * SECOND)
    await statuses(9)
    expect(log.warnings).toHaveLength(3)
  })

  test('start at the threshold of the limit', async () => {
    const limits = [{ name: 'rps', capacity: 10, refill_rate: 2, warn_at: 0.2 }]
    const { send } = createTestApp({ limits })
    expect((await send()).headers.has('x-ratelimit-warning')).toBe(false)
    expect((await send()).headers.get('x-ratelimit-warning')).toBe('rps;used=2;limit=10')
  })

  test('include limits that only warn, and exclude shadow limits from the header', async () => {
    const limits = [
      { name: 'rps', capacity: 1, refill_rate: 0.1, mode: 'warn' as const, warn_at: 1 },
      { name: 'rpm', capacity: 1, refill_rate: 0.1, mode: 'shadow' as const, warn_at: 1 },
    ]
    const { send, log } = createTestApp({ limits })
    await send()
    const response = await send()
    expect([response.status, response.headers.get('x-ratelimit-warning')]).toEqual([
      200,
      'rps;used=1;limit=1',
    ])
    expect(log.warnings.filter(({ exceeded }) => exceeded)).toMatchObject([
      { limit: { name: 'rps', mode: 'warn' } },
      { limit: { name: 'rpm', mode: 'shadow' } },
    ])
  })

  test("exclude the parent's limits from the header", async () => {
    const table = createTableWorld()
    await table.addEntity('team')
    await table.addEntity('key-bob', { parentId: 'team' })
    await table.limit('team', 1)
    const clock = createTestClock()
    const { options, warnings } = createReportsLog()
    const { logger } = options
    const limiter = createRateLimiter({ store: table.store, config: 'table', clock, logger })
    const app = new Hono().use(rateLimit({ limiter, key: () => 'key-bob', clock, ...options }))
    expect((await app.request('/')).headers.has('x-ratelimit-warning')).toBe(false)
    expect(warnings).toMatchObject([{ key: 'key-bob', limit: { entityId: 'team', own: false } }])
  })

  test('do not fail a request if the callback throws', async () => {
    const { statuses } = createTestApp({
      onWarning: () => {
        throw new Error('broken callback')
      },
    })
    expect(await statuses(10)).toEqual(ok(10))
  })
})

describe('settling', () => {
  const TOKENS = [{ name: 'tpm', capacity: 1000, refill_rate: 1 }]
  const settling = { limits: TOKENS, cost: { requests: 1, tokens: 600 }, settle: byResponse }

  /** The amount left for the next request after a response to one that reserved 600 tokens. */
  const leftAfter = async (handler: (c: Context) => Response | Promise<Response>) => {
    const { app, send } = createTestApp(settling)
    app.get('/settled', handler)
    const text = await (await send('/settled')).text()
    const next = await send('/health')
    return { text, status: next.status, left: Number(next.headers.get('x-ratelimit-remaining-tpm')) }
  }

  test('reads the usage of a JSON response, which is not changed', async () => {
    const body = { id: 1, usage: { prompt_tokens: 40, completion_tokens: 60, total_tokens: 100 } }
    expect(await leftAfter((c) => c.json(body))).toEqual({
      text: JSON.stringify(body),
      status: 200,
      left: 300,
    })
  })

  test('prefers X-Token-Count to the body', async () => {
    const handler = (c: Context) => c.json({ usage: { total_tokens: 500 } }, 200, { 'X-Token-Count': '200' })
    expect((await leftAfter(handler)).left).toBe(200)
  })

  test.each(['-1', '1.5', 'many', '1e2', '99999999999999999999'])('ignores the count %j', async (count) => {
    const { status } = await leftAfter((c) => c.text('x', 200, { 'X-Token-Count': count }))
    expect(status).toBe(429)
  })

  test('adds input and output without a total', async () => {
    const { left } = await leftAfter((c) => c.json({ usage: { input_tokens: 150, output_tokens: 50 } }))
    expect(left).toBe(200)
  })

  test('charges the request alone for a failed response without usage', async () => {
    const handler = (c: Context) => c.json({ error: 'upstream' }, 502)
    expect(await leftAfter(handler)).toMatchObject({ status: 200, left: 400 })
  })

  test('charges the request alone if the handler throws a value that is no Error', async () => {
    const { app, send } = createTestApp(settling)
    app.get('/settled', () => {
      throw 'no Error'
    })
    await expect(send('/settled')).rejects.toBe('no Error')
    const next = await send('/health')
    expect([next.status, next.headers.get('x-ratelimit-remaining-tpm')]).toEqual([200, '400'])
  })

  test('does not refund the request itself if the response failed', async () => {
    const limits = [...TOKENS, { name: 'rpm', capacity: 2, refill_rate: 0.01 }]
    const { app, statuses } = createTestApp({ ...settling, limits })
    app.get('/failing', (c) => c.json({ error: 'upstream' }, 502))
    expect(await statuses(3, '/failing')).toEqual([502, 502, 429])
  })

  test('leaves the estimate if a response contains no usage', async () => {
    expect((await leftAfter((c) => c.text('nothing'))).status).toBe(429)
  })

  test('leaves the estimate and the response if JSON is broken', async () => {
    const handler = (c: Context) => c.body('{"usage":', 200, { 'content-type': 'application/json' })
    expect(await leftAfter(handler)).toMatchObject({ text: '{"usage":', status: 429 })
  })
})

describe('responses that stream', () => {
  test('arrive piece by piece, before they have ended', async () => {
    const { app, send } = createTestApp({ settle: byResponse })
    let more: (text: string) => void = () => {}
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        more = (text) => controller.enqueue(new TextEncoder().encode(text))
      },
    })
    app.get('/stream', () => new Response(body, { headers: { 'content-type': 'text/event-stream' } }))
    const response = await send('/stream')
    expect(response.headers.get('x-ratelimit-remaining')).toBe('9')
    const reader = response.body?.getReader()
    more('data: 1\n\n')
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('data: 1\n\n')
    await reader?.cancel()
  })

  test('that are declared as JSON and are large are passed on unread', async () => {
    const { app, send } = createTestApp({ settle: byResponse })
    const piece = new TextEncoder().encode(' '.repeat(65_536))
    let pieces = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pieces++
        if (pieces > 40) controller.close()
        else controller.enqueue(piece)
      },
    })
    app.get('/large', () => new Response(body, { headers: { 'content-type': 'application/json' } }))
    const response = await send('/large')
    expect(pieces).toBeLessThan(25)
    expect((await response.arrayBuffer()).byteLength).toBe(40 * 65_536)
  })
})
