import type {
  APIGatewayProxyEvent,
  APIGatewayProxyHandler,
  APIGatewayProxyHandlerV2,
  AppSyncResolverEvent,
  AppSyncResolverHandler,
  Context,
  SQSEvent,
  SQSHandler,
} from 'aws-lambda'
import { describe, expect, test } from 'vitest'
import {
  byApiKey,
  byJsonUsage,
  createRateLimiter,
  firstOf,
  memoryStore,
  silentLogger,
} from '../../../src/library/index.ts'
import {
  bodyText,
  byClaim,
  type LambdaRateLimitOptions,
  RejectedError,
  withRateLimit,
} from '../../../src/library/lambda.ts'
import { createTestClock, SECOND } from '../../core/test-clock.ts'
import { createReportsLog } from '../middleware/reports-log.ts'
import { unavailableStore, untyped } from '../middleware/test-app.ts'
import {
  albEvent,
  appSyncEvent,
  functionUrlEvent,
  httpEvent,
  multiValueAlbEvent,
  restEvent,
  sqsEvent,
  sqsRecord,
} from './events.ts'

const LIMITS = [{ name: 'rps', capacity: 2, refill_rate: 1 }]

/** A limited function that returns `result`; `calls` counts how often its handler was called. */
const create = (result: unknown, options: Partial<LambdaRateLimitOptions> = {}) => {
  const clock = createTestClock()
  const log = createReportsLog()
  const world = { calls: 0, clock, log }
  const limited = withRateLimit<unknown, unknown>(
    { limits: LIMITS, clock, ...log.options, ...options },
    async () => {
      world.calls++
      return typeof result === 'function' ? result() : result
    },
  )
  return { ...world, world, invoke: (event: unknown) => limited(event, {}) }
}

const OK = { statusCode: 200, headers: { 'Content-Type': 'text/plain' }, body: 'hello' }

const DENIED = {
  statusCode: 429,
  headers: {
    'content-type': 'application/json',
    ratelimit: '"rps";r=0;t=1',
    'ratelimit-policy': '"rps";q=2;w=2',
    'retry-after': '1',
    'retry-after-ms': '1000',
  },
  body: expect.stringContaining('"error":"rate_limit_exceeded"'),
  isBase64Encoded: false,
}

describe('a request', () => {
  test.each([
    ['a REST API', restEvent],
    ['an HTTP API', httpEvent],
    ['a function URL', functionUrlEvent],
    ['a load balancer', albEvent],
  ])('of %s gets the headers, and a 429 instead of the handler if it is denied', async (_, newEvent) => {
    const { invoke, world } = create(OK)
    expect(await invoke(newEvent())).toEqual({
      ...OK,
      headers: { ...OK.headers, ratelimit: '"rps";r=1', 'ratelimit-policy': '"rps";q=2;w=2' },
    })
    await invoke(newEvent())
    expect(await invoke(newEvent())).toMatchObject(DENIED)
    expect(world.calls).toBe(2)
    world.clock.advance(SECOND)
    expect(await invoke(newEvent())).toMatchObject({
      statusCode: 200,
      headers: { ratelimit: '"rps";r=0;t=1' },
    })
  })

  test('is limited by the address of the connection, whatever X-Forwarded-For contains', async () => {
    const { invoke, log } = create(OK)
    const from = (sourceIp: string, forwardedFor: string) =>
      invoke(httpEvent({ headers: { 'x-forwarded-for': forwardedFor } }, { sourceIp }))
    for (const forged of ['1.1.1.1', '2.2.2.2']) await from('203.0.113.7', forged)
    expect(await from('203.0.113.7', '3.3.3.3')).toMatchObject({ statusCode: 429 })
    expect(await from('203.0.113.8', '3.3.3.3')).toMatchObject({ statusCode: 200 })
    expect(log.logged.filter((line) => line.includes('forwarded'))).toEqual([])
  })

  test('of a load balancer is limited by the address that the balancer has appended', async () => {
    const { invoke, log } = create(OK)
    const from = (forwardedFor: string) =>
      invoke({ ...albEvent(), headers: { 'x-forwarded-for': forwardedFor } })
    await from('1.1.1.1, 203.0.113.7')
    await from('2.2.2.2, 203.0.113.7')
    expect(await from('3.3.3.3, 203.0.113.7')).toMatchObject({ statusCode: 429 })
    expect(await from('203.0.113.7, 203.0.113.8')).toMatchObject({ statusCode: 200 })
    expect(log.denials[0]?.key).toBe('203.0.113.7')
  })
})

describe('the result', () => {
  test('for a load balancer with multi-value headers has them alone', async () => {
    const { invoke } = create({
      statusCode: 200,
      multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'] },
      body: '',
    })
    expect(await invoke(multiValueAlbEvent())).toEqual({
      statusCode: 200,
      multiValueHeaders: {
        'Set-Cookie': ['a=1', 'b=2'],
        ratelimit: ['"rps";r=1'],
        'ratelimit-policy': ['"rps";q=2;w=2'],
      },
      body: '',
    })
    await invoke(multiValueAlbEvent())
    expect(await invoke(multiValueAlbEvent())).toMatchObject({
      statusCode: 429,
      statusDescription: '429 Too Many Requests',
      multiValueHeaders: { 'retry-after': ['1'], 'content-type': ['application/json'] },
    })
  })

  test('of a REST API keeps multi-value headers, and no other value of ours', async () => {
    const { invoke } = create({
      statusCode: 200,
      headers: { RateLimit: 'other' },
      multiValueHeaders: { 'Set-Cookie': ['a=1'], 'RateLimit-Policy': ['other'] },
    })
    expect(await invoke(restEvent())).toEqual({
      statusCode: 200,
      headers: { ratelimit: '"rps";r=1', 'ratelimit-policy': '"rps";q=2;w=2' },
      multiValueHeaders: { 'Set-Cookie': ['a=1'] },
    })
  })

  test.each([
    ['an object', { hello: 'world' }, '{"hello":"world"}'],
    ['a text', 'hello', 'hello'],
    ['a list', [1], '[1]'],
  ])('of payload format 2.0 may be %s, as API Gateway reads it', async (_, result, body) => {
    expect(await create(result).invoke(httpEvent())).toEqual({
      statusCode: 200,
      headers: {
        'content-type': 'application/json',
        ratelimit: '"rps";r=1',
        'ratelimit-policy': '"rps";q=2;w=2',
      },
      body,
      isBase64Encoded: false,
    })
  })

  test.each([
    ['nothing', undefined, httpEvent],
    ['null', null, httpEvent],
    ['an object without a status from a REST API', { hello: 'world' }, restEvent],
    ['a text from a load balancer', 'hello', albEvent],
  ])('that is %s is returned unchanged', async (_, result, newEvent) => {
    expect(await create(result).invoke(newEvent())).toBe(result)
  })

  test('contains no headers for an exempt path, at the stage or below it', async () => {
    const { invoke } = create(OK, { exempt: ['/orders'] })
    expect(await invoke(httpEvent())).toEqual(OK)
    expect(await invoke(restEvent())).toEqual(OK)
  })

  test('does not treat a path on a custom domain as a stage', async () => {
    const event = httpEvent()
    const requestContext = { ...event.requestContext, domainName: 'api.example.com' }
    const { invoke } = create(OK, { exempt: ['/orders'] })
    expect(await invoke({ ...event, requestContext })).toMatchObject({ headers: { ratelimit: '"rps";r=1' } })
    expect(await invoke(functionUrlEvent())).toMatchObject({ headers: { ratelimit: '"rps";r=0;t=1' } })
  })
})

describe('several limiters', () => {
  const nested = (inner: number, outer: number) => {
    const options = (name: string, capacity: number) => ({
      name,
      limits: [{ name, capacity, refill_rate: 0.1 }],
      clock: createTestClock(),
      logger: silentLogger,
    })
    return withRateLimit(
      options('outer', outer),
      withRateLimit(options('inner', inner), async (_: unknown) => OK),
    )
  }

  test.each([
    [1, 5],
    [5, 1],
  ])('describe the one that denies, or else the tightest (%i and %i)', async (inner, outer) => {
    const handler = nested(inner, outer)
    const tightest = inner < outer ? 'inner' : 'outer'
    expect(await handler(restEvent(), {})).toMatchObject({ headers: { ratelimit: `"${tightest}";r=0;t=10` } })
    expect(await handler(restEvent(), {})).toMatchObject({
      statusCode: 429,
      headers: { ratelimit: `"${tightest}";r=0;t=10`, 'retry-after': '10' },
    })
  })

  test('describe each invocation anew, also of one event that a test passes again', async () => {
    const event = restEvent()
    const { invoke, clock } = create(OK)
    for (let i = 0; i < 3; i++) await invoke(event)
    clock.advance(10n * SECOND)
    expect(await invoke(event)).toMatchObject({ statusCode: 200, headers: { ratelimit: '"rps";r=1' } })
  })
})

describe('settling', () => {
  const TOKENS = {
    limits: [{ name: 'tpm', capacity: 1000, refill_rate: 0.001 }],
    cost: { requests: 1, tokens: 100 },
    settle: byJsonUsage,
  } as const

  /** What is left after one invocation that reserved 100 tokens. */
  const leftAfter = async (result: unknown, event: unknown = restEvent()) => {
    const limiter = createRateLimiter({
      limits: TOKENS.limits,
      clock: createTestClock(),
      logger: silentLogger,
    })
    const { invoke } = create(result, untyped({ ...TOKENS, limits: undefined, limiter }))
    await invoke(event).catch(() => {})
    const [key = ''] = ['203.0.113.7']
    return (await limiter.check(key, { cost: {} })).limits[0]?.available
  }

  const body = JSON.stringify({ usage: { total_tokens: 30 } })

  test.each([
    ['a JSON body', { statusCode: 200, headers: { 'content-type': 'application/json' }, body }, 970],
    ['a body without a content type', { statusCode: 200, body }, 970],
    [
      'a type in multi-value headers',
      { statusCode: 200, multiValueHeaders: { 'Content-Type': ['application/problem+json'] }, body },
      970,
    ],
    [
      'a base64 body',
      { statusCode: 200, body: Buffer.from(body).toString('base64'), isBase64Encoded: true },
      970,
    ],
    ['a body of another type', { statusCode: 200, headers: { 'Content-Type': 'text/plain' }, body }, 900],
    ['a body that is no JSON', { statusCode: 200, body: '{"usage"' }, 900],
    ['a failed response without usage', { statusCode: 500, body: 'no' }, 1000],
    ['a failed response whose status is a text', { statusCode: '500', body: 'no' }, 1000],
    ['nothing', undefined, 900],
    ['an error that is thrown', () => Promise.reject(new Error('failed')), 1000],
  ])('reads %s', async (_, result, left) => {
    expect(await leftAfter(result)).toBe(left)
  })

  test('reads a result without a status, of an HTTP API and of a resolver', async () => {
    const result = { usage: { input_tokens: 10, output_tokens: 20 } }
    expect(await leftAfter(result, httpEvent())).toBe(970)
    expect(await leftAfter(result, appSyncEvent())).toBe(970)
  })

  test('leaves a body of more than 1 MiB unread', async () => {
    const long = JSON.stringify({ usage: { total_tokens: 30 }, text: 'x'.repeat(1_048_576) })
    expect(await leftAfter({ statusCode: 200, body: long })).toBe(900)
  })
})

describe('an AppSync resolver', () => {
  test('gets the result unchanged, and an error with the time to wait if it is denied', async () => {
    const { invoke, world } = create({ id: '1' }, { key: byClaim('sub') })
    expect(await invoke(appSyncEvent())).toEqual({ id: '1' })
    await invoke(appSyncEvent())
    const error = await invoke(appSyncEvent()).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(RejectedError)
    expect(error).toMatchObject({
      name: 'RateLimitExceeded',
      message: 'Rate limit exceeded for limits: rps; try again in 1 s',
      errorType: 'RateLimitExceeded',
      errorInfo: { error: 'rate_limit_exceeded', retry_after_seconds: 1 },
    })
    expect(await invoke(appSyncEvent('user-2'))).toEqual({ id: '1' })
    expect(world.calls).toBe(3)
  })

  test('is charged by its field, or by the number of events of a batch', async () => {
    const { invoke } = create([], {
      limits: [{ name: 'rps', capacity: 5, refill_rate: 0.001 }],
      key: byClaim('sub'),
      cost: ({ method, path, native }) => ({
        requests:
          method === 'MUTATION' && path === '/Mutation/createOrder' && Array.isArray(native)
            ? native.length
            : 5,
      }),
    })
    expect(await invoke([appSyncEvent(), appSyncEvent(), appSyncEvent()])).toEqual([])
    await expect(invoke([appSyncEvent(), appSyncEvent(), appSyncEvent()])).rejects.toThrow(RejectedError)
    expect(await invoke([appSyncEvent(), appSyncEvent()])).toEqual([])
  })

  test('gets an error that names a request which can never pass', async () => {
    const { invoke } = create({}, { cost: { requests: 3 } })
    await expect(invoke(appSyncEvent())).rejects.toThrow(/; this request can never pass$/)
  })
})

describe('a failure', () => {
  test('of the handler is thrown, after everything is written', async () => {
    const { invoke } = create(() => Promise.reject(new Error('no database')))
    await expect(invoke(restEvent())).rejects.toThrow('no database')
  })

  test('of the key function is thrown, and the handler is not called', async () => {
    const { invoke, world } = create(OK, {
      key: () => {
        throw new Error('no tenant')
      },
    })
    await expect(invoke(restEvent())).rejects.toThrow('no tenant')
    expect(world.calls).toBe(0)
  })

  test('of the store is a 503, and an error for AppSync', async () => {
    const { invoke, world } = create(OK, { store: unavailableStore() })
    expect(await invoke(restEvent())).toMatchObject({
      statusCode: 503,
      headers: { 'retry-after': '1', 'x-zael-degraded': 'true' },
      body: expect.stringContaining('"error":"unavailable"'),
    })
    await expect(invoke(appSyncEvent())).rejects.toMatchObject({
      name: 'Unavailable',
      errorInfo: { error: 'unavailable' },
    })
    expect(world.calls).toBe(0)
  })

  test('of the store lets invocations pass in shadow mode', async () => {
    const { invoke } = create(OK, { shadow: true })
    for (let i = 0; i < 3; i++) expect(await invoke(restEvent())).toMatchObject({ statusCode: 200 })
    expect(await invoke(restEvent())).toMatchObject({ headers: { 'x-ratelimit-shadow': 'denied' } })
  })
})

describe('options', () => {
  test.each([
    ['an unknown one', { limitz: [] }, 'limitz'],
    ['no function as key', { key: 'sub' }, 'key'],
    ['no function as changeVisibility', { changeVisibility: 1 }, 'changeVisibility'],
    ['no object', 7, 'options'],
  ])('that are wrong are named: %s', (_, options, field) => {
    expect(() => withRateLimit(untyped(options), async () => OK)).toThrow(
      expect.objectContaining({ code: 'invalid_request', field }),
    )
  })

  test('require a handler', () => {
    expect(() => withRateLimit({ limits: LIMITS }, untyped(undefined))).toThrow(
      /handler must be the function/,
    )
  })

  test('take an existing limiter, or a store that limiters share', async () => {
    const store = memoryStore()
    const limiter = createRateLimiter({
      name: 'a',
      store,
      limits: LIMITS,
      clock: createTestClock(),
      logger: silentLogger,
    })
    const byLimiter = withRateLimit({ limiter, key: () => 'bob' }, async (_: unknown) => OK)
    await byLimiter(restEvent(), {})
    expect((await limiter.check('bob', { cost: {} })).limits[0]?.available).toBe(1)
  })

  test('of a key function receive the event, and its functions the headers in any case', async () => {
    const keys: unknown[] = []
    const { invoke } = create(OK, {
      key: (request) => {
        keys.push(firstOf(byApiKey())(request), bodyText(request.native), request.header('accept'))
        return 'x'
      },
    })
    await invoke(restEvent())
    await invoke(albEvent())
    expect(keys).toEqual([
      expect.stringMatching(/^key:/),
      '{"item":1}',
      '*/*',
      undefined,
      '{"item":1}',
      'text/html',
    ])
  })
})

describe('handlers as AWS types them', () => {
  const limited = () => ({ limits: LIMITS, logger: silentLogger, clock: createTestClock() })
  const context: Context = untyped({})
  const noCallback = () => {}

  test('are accepted, and limited handlers are such handlers again', async () => {
    const rest: APIGatewayProxyHandler = withRateLimit(limited(), async (event: APIGatewayProxyEvent) => ({
      statusCode: 200,
      body: event.path,
    }))
    const typed: APIGatewayProxyHandlerV2<{ path: string }> = async ({ rawPath }) => ({ path: rawPath })
    const http: APIGatewayProxyHandlerV2<{ path: string }> = withRateLimit(limited(), typed)
    const resolver: AppSyncResolverHandler<object, number> = withRateLimit(
      { ...limited(), key: ({ native }) => native.info.fieldName },
      async (_: AppSyncResolverEvent<object>) => 1,
    )
    const messages: SQSHandler = withRateLimit(
      { ...limited(), key: ({ native }) => native.attributes.MessageGroupId },
      async ({ Records: [record] }: SQSEvent) => void record,
    )
    expect(await rest(untyped(restEvent()), context, noCallback)).toMatchObject({ body: '/orders' })
    expect(await http(untyped(httpEvent()), context, noCallback)).toMatchObject({
      body: '{"path":"/prod/orders"}',
    })
    expect(await resolver(untyped(appSyncEvent()), context, noCallback)).toBe(1)
    expect(await messages(untyped(sqsEvent(sqsRecord('1'))), context, noCallback)).toEqual({
      batchItemFailures: [],
    })
  })

  test('must not call back', async () => {
    const handler = withRateLimit(limited(), (_: unknown, __: unknown, callback: () => unknown) => callback())
    await expect(handler(restEvent(), {})).rejects.toThrow('must return a promise instead of calling back')
  })
})
