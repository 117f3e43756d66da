import { HttpStatusCodes, Router } from '@aws-lambda-powertools/event-handler/http'
import { cors } from '@aws-lambda-powertools/event-handler/http/middleware'
import middy from '@middy/core'
import type { Context, SQSEvent } from 'aws-lambda'
import { describe, expect, test } from 'vitest'
import {
  byJsonUsage,
  createRateLimiter,
  type RateLimitOptions,
  silentLogger,
} from '../../../src/library/index.ts'
import {
  byClaim,
  type LambdaRateLimitOptions,
  middyRateLimit,
  powertoolsRateLimit,
} from '../../../src/library/lambda.ts'
import { createTestClock } from '../../core/test-clock.ts'
import { untyped } from '../middleware/test-app.ts'
import { appSyncEvent, httpEvent, restEvent, sqsEvent, sqsRecord } from './events.ts'

const LIMITS = [{ name: 'rps', capacity: 2, refill_rate: 0.1 }]

const OPTIONS = { limits: LIMITS, logger: silentLogger, clock: createTestClock() }

const context: Context = untyped({ functionName: 'orders' })

/** Reserves 100 tokens per request; `left` is what is left of 1000. */
const createTokens = () => {
  const limiter = createRateLimiter({
    limits: [{ name: 'tpm', capacity: 1000, refill_rate: 0.001 }],
    clock: createTestClock(),
    logger: silentLogger,
  })
  return {
    options: { limiter, key: () => 'x', cost: { requests: 1, tokens: 100 }, settle: byJsonUsage },
    left: async () => (await limiter.check('x', { cost: {} })).limits[0]?.available,
  }
}

describe('a Middy handler', () => {
  const create = (
    options: Partial<LambdaRateLimitOptions> = {},
    result: unknown = { statusCode: 200, body: '' },
  ) => {
    const ran: string[] = []
    const handler = middy<unknown>(async () => {
      ran.push('handler')
      return typeof result === 'function' ? result() : result
    })
      .use({
        // as @middy/http-cors does
        after: (request) => {
          request.response.headers = { ...request.response?.headers, 'Access-Control-Allow-Origin': '*' }
        },
        onError: (request) => {
          ran.push('onError')
          if (request.response === undefined) return
          request.response.headers = { ...request.response.headers, 'Access-Control-Allow-Origin': '*' }
        },
      })
      .use(middyRateLimit({ ...OPTIONS, ...options }))
    return { handler: (event: unknown): Promise<unknown> => handler(event, context), ran }
  }

  test('is limited, and its denials pass through the onError of other middlewares', async () => {
    const { handler, ran } = create({ key: byClaim('sub') })
    const allowed = await handler(restEvent())
    expect(allowed).toEqual({
      statusCode: 200,
      body: '',
      headers: {
        ratelimit: '"rps";r=1',
        'ratelimit-policy': '"rps";q=2;w=20',
        'Access-Control-Allow-Origin': '*',
      },
    })
    await handler(restEvent())
    expect(await handler(restEvent())).toMatchObject({
      statusCode: 429,
      headers: {
        'retry-after': '10',
        'content-type': 'application/json',
        'Access-Control-Allow-Origin': '*',
      },
      body: expect.stringContaining('rate_limit_exceeded'),
    })
    expect(ran).toEqual(['handler', 'handler', 'onError'])
  })

  test('gets the same 429 if a handler of errors has made a response of the denial', async () => {
    const handler = middy<unknown>(async () => ({ statusCode: 200, body: '' }))
      .use(middyRateLimit({ ...OPTIONS, cost: { requests: 3 } }))
      .onError((request) => {
        request.response = { statusCode: 500, body: 'error' }
      })
    expect(await handler(httpEvent(), context)).toMatchObject({
      statusCode: 429,
      headers: { 'x-should-retry': 'false' },
    })
  })

  test('is settled by its response', async () => {
    const { options, left } = createTokens()
    const response = { statusCode: 200, body: JSON.stringify({ usage: { total_tokens: 30 } }) }
    await create(untyped({ ...options, limits: undefined }), response).handler(restEvent())
    expect(await left()).toBe(970)
  })

  test('is charged its request alone if it throws, and other errors are thrown', async () => {
    const { options, left } = createTokens()
    const { handler } = create(untyped({ ...options, limits: undefined }), () => {
      throw new Error('no database')
    })
    await expect(handler(restEvent())).rejects.toThrow('no database')
    expect(await left()).toBe(1000)
  })

  test('has the headers on the response that another middleware makes of an error', async () => {
    const handler = middy<unknown>(async () => {
      throw new Error('no database')
    })
      .use(middyRateLimit(OPTIONS))
      .onError((request) => {
        request.response = { statusCode: 502, body: 'bad' }
      })
    expect(await handler(restEvent(), context)).toMatchObject({
      statusCode: 502,
      headers: { ratelimit: '"rps";r=1' },
    })
  })

  test('is settled once if a later middleware fails', async () => {
    const { options, left } = createTokens()
    const handler = middy<unknown>(async () => ({ statusCode: 200, body: '{"usage":{"total_tokens":30}}' }))
      .after(() => {
        throw new Error('late')
      })
      .use(middyRateLimit(options))
    await expect(handler(restEvent(), context)).rejects.toThrow('late')
    expect(await left()).toBe(970)
  })

  test('may return a response that a later middleware completes', async () => {
    const handler = middy<unknown>(async () => ({ body: { hello: 'world' } }))
      .after(({ response }) => {
        response.statusCode = 200
        response.body = JSON.stringify(response.body)
      })
      .use(middyRateLimit(OPTIONS))
    expect(await handler(httpEvent(), context)).toMatchObject({
      statusCode: 200,
      headers: { ratelimit: '"rps";r=1' },
      body: '{"hello":"world"}',
    })
  })

  test('of a resolver gets an error', async () => {
    const handler = middy<unknown>(async () => 1).use(middyRateLimit({ ...OPTIONS, cost: { requests: 2 } }))
    expect(await handler(appSyncEvent(), context)).toBe(1)
    await expect(handler(appSyncEvent(), context)).rejects.toThrow(/; try again in 20 s$/)
  })

  test('of a queue gets the allowed messages, and returns the others', async () => {
    const handled: string[] = []
    const handler = middy(async ({ Records }: SQSEvent) => {
      handled.push(...Records.map(({ messageId }) => messageId))
    }).use(middyRateLimit({ ...OPTIONS, changeVisibility: async () => {} }))
    const send = (...ids: string[]) => handler(untyped(sqsEvent(...ids.map((id) => sqsRecord(id)))), context)
    expect(await send('a', 'b', 'c')).toEqual({ batchItemFailures: [{ itemIdentifier: 'c' }] })
    expect(await send('d')).toEqual({ batchItemFailures: [{ itemIdentifier: 'd' }] })
    expect(handled).toEqual(['a', 'b'])
  })

  test('rejects options that are wrong', () => {
    expect(() => middyRateLimit(untyped({ ...OPTIONS, limitz: 1 }))).toThrow(/limitz must not be given/)
  })
})

describe("a router of Powertools' event handler", () => {
  const create = (options: Partial<RateLimitOptions<unknown>> = {}) => {
    const app = new Router({ logger: silentLogger })
    app.use(cors({ origin: 'https://app.example.com' }))
    app.use(powertoolsRateLimit(untyped({ ...OPTIONS, ...options })))
    app.post('/orders', () => ({ usage: { total_tokens: 30 } }))
    app.post('/own', () => new Response('own', { headers: { 'x-own': '1' } }))
    app.post('/failing', () => {
      throw new Error('no database')
    })
    return (event: unknown) => app.resolve(event, context)
  }

  const post = (path: string, sub = 'user-1') => {
    const event = restEvent({ path, headers: { Origin: 'https://app.example.com' }, multiValueHeaders: {} })
    return {
      ...event,
      requestContext: { ...event.requestContext, authorizer: { claims: { sub } } },
    }
  }

  test('is limited by a claim, with the headers of other middlewares', async () => {
    const resolve = create({ key: byClaim('sub') })
    expect(await resolve(post('/orders'))).toMatchObject({
      statusCode: 200,
      headers: {
        ratelimit: '"rps";r=1',
        'ratelimit-policy': '"rps";q=2;w=20',
        'access-control-allow-origin': 'https://app.example.com',
      },
    })
    await resolve(post('/orders'))
    const denied = await resolve(post('/orders'))
    expect(denied).toMatchObject({
      statusCode: HttpStatusCodes.TOO_MANY_REQUESTS,
      headers: {
        'retry-after': '10',
        'content-type': 'application/json',
        'access-control-allow-origin': 'https://app.example.com',
      },
    })
    expect(JSON.parse(untyped(denied.body))).toMatchObject({
      error: 'rate_limit_exceeded',
      retry_after_seconds: 10,
    })
    expect(await resolve(post('/orders', 'user-2'))).toMatchObject({ statusCode: 200 })
  })

  test('is limited behind an HTTP API', async () => {
    const resolve = create({ cost: { requests: 2 } })
    const event = { ...httpEvent(), rawPath: '/orders', routeKey: '$default' }
    expect(await resolve(event)).toMatchObject({ statusCode: 200, headers: { ratelimit: '"rps";r=0;t=10' } })
    expect(await resolve(event)).toMatchObject({ statusCode: 429 })
  })

  test.each([
    ['/own', 200, { 'x-own': '1', ratelimit: '"rps";r=1' }],
    ['/failing', 500, { ratelimit: '"rps";r=1' }],
    ['/missing', 404, { ratelimit: '"rps";r=1' }],
  ])('has the headers on the response of %s', async (path, statusCode, headers) => {
    expect(await create()(post(path))).toMatchObject({ statusCode, headers })
  })

  test.each([
    ['/orders', 970],
    ['/own', 900],
    ['/failing', 1000],
  ])('is settled by the response of %s', async (path, expected) => {
    const { options, left } = createTokens()
    await create(untyped({ ...options, limits: undefined }))(post(path))
    expect(await left()).toBe(expected)
  })

  test('may be limited on one route', async () => {
    const app = new Router({ logger: silentLogger })
    app.post('/orders', [powertoolsRateLimit(OPTIONS)], () => 'ordered')
    app.post('/free', () => 'free')
    const statuses = async (path: string) => {
      const received: unknown[] = []
      for (let i = 0; i < 3; i++) received.push((await app.resolve(post(path), context)).statusCode)
      return received
    }
    expect(await statuses('/orders')).toEqual([200, 200, 429])
    expect(await statuses('/free')).toEqual([200, 200, 200])
  })
})
