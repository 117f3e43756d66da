import { describe, expect, test } from 'vitest'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import { createMemoryBucketStore } from '../../../src/store/memory/bucket-store.ts'
import { ADMIN_FOR_BOB, BOB, createCheckingApp, denied } from './checking-app.ts'

describe('a check', () => {
  test('charges one request to the default bucket, and returns what is available', async () => {
    const { passes, stored } = await createCheckingApp()
    expect(await passes({})).toEqual({
      allowed: true,
      degraded: false,
      retry_after_seconds: 0,
      limits: [
        {
          entity_id: 'key-bob',
          resource: '_default_',
          limit_name: 'rpm',
          algorithm: 'token_bucket',
          capacity: 10,
          available: 9,
          used: 1,
          reset_after_seconds: 3600,
          source: 'entity:_default_',
        },
        expect.objectContaining({ limit_name: 'tpm', available: 1000, used: 0, reset_after_seconds: 0 }),
      ],
      violations: [],
    })
    expect(await stored()).toMatchObject({ used_requests: 1n })
  })

  test('uses the cost literally, and adds up input and output tokens if only those are given', async () => {
    const { passes, left } = await createCheckingApp()
    await passes({ cost: { tokens: 100 } })
    expect([await left('rpm'), await left('tpm')]).toEqual([10, 900])
    await passes({ cost: { requests: 2, input_tokens: 30, output_tokens: 20 } })
    expect([await left('rpm'), await left('tpm')]).toEqual([8, 850])
    await passes({ cost: { input_tokens: 30, output_tokens: 20, tokens: 1 } })
    expect([await left('rpm'), await left('tpm')]).toEqual([8, 849])
    await passes({ cost: {} })
    expect([await left('rpm'), await left('tpm')]).toEqual([8, 849])
  })

  test('charges the bucket of the resource, and one shared bucket for unregistered resources', async () => {
    const { passes, left } = await createCheckingApp()
    expect((await passes({ resource: 'gpt-4' })).limits[0]).toMatchObject({ resource: 'gpt-4', used: 1 })
    expect((await passes({ resource: 'search' })).limits[0]).toMatchObject({ resource: '_other_', used: 1 })
    expect((await passes({ resource: 'images' })).limits[0]).toMatchObject({ resource: '_other_', used: 2 })
    expect(await left('rpm')).toBe(10)
  })

  test('charges and counts nothing in a dry run, with or without a reservation', async () => {
    const { passes, check, stored } = await createCheckingApp()
    const response = await passes({ dry_run: true, reserve: true, cost: { requests: 4 } })
    expect(response.limits[0]).toMatchObject({ available: 10 })
    expect(response).not.toHaveProperty('reservation_id')
    denied(await check({ dry_run: true, cost: { requests: 11 } }))
    expect(await stored()).toEqual({})
  })

  test('that is denied has the fields of a 429 with its error as an object, and the time until it passes', async () => {
    const { check, passes, clock, left } = await createCheckingApp()
    await passes({ cost: { requests: 8 } })
    const sent = await check({ cost: { requests: 3, tokens: 1 } })
    expect(denied(sent)).toEqual({
      error: {
        message:
          'Rate limit reached for _default_ in organization proj-demo on requests per 36000s: Limit 10, Used 8, Requested 3. Please try again in 1h0m0s.',
        type: 'requests',
        param: null,
        code: 'rate_limit_exceeded',
      },
      message: 'Rate limit exceeded for limits: rpm',
      allowed: false,
      degraded: false,
      retry_after_seconds: 3600,
      limits: [
        expect.objectContaining({ limit_name: 'rpm', available: 2, used: 8 }),
        expect.objectContaining({ limit_name: 'tpm', available: 1000 }),
      ],
      violations: [
        {
          limit_name: 'rpm',
          entity_id: 'key-bob',
          resource: '_default_',
          available: 2,
          requested: 3,
          capacity: 10,
          retry_after_seconds: 3600,
        },
      ],
    })
    expect(await left('tpm')).toBe(1000)
    clock.advance(3600n * 1_000_000_000n)
    await passes({ cost: { requests: 3, tokens: 1 } })
  })

  test('that can never pass is marked in its body and its headers', async () => {
    const { check, passes } = await createCheckingApp()
    await passes({ cost: { requests: 10 } })
    const sent = await check({ cost: { requests: 1, tokens: 1001 } })
    expect(denied(sent)).toMatchObject({
      retry_after_seconds: null,
      violations: [
        { limit_name: 'rpm', retry_after_seconds: 3600 },
        { limit_name: 'tpm', retry_after_seconds: null },
      ],
    })
    expect(sent.headers.get('x-should-retry')).toBe('false')
    expect(sent.headers.get('retry-after')).toBeNull()
    expect(sent.headers.get('retry-after-ms')).toBeNull()
  })

  test('has the headers RateLimit and RateLimit-Policy only, and the wait if it is denied', async () => {
    const { check } = await createCheckingApp()
    const { headers } = await check({ cost: { requests: 9, tokens: 10 } })
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'application/json',
      'x-request-id': expect.stringMatching(/./),
      'ratelimit-policy': '"rpm";q=10;w=36000, "tpm";q=1000;w=3600000;zael-meter="tokens"',
      ratelimit: '"rpm";r=1, "tpm";r=990',
    })
    const { headers: late } = await check({ cost: { requests: 2 } })
    expect(Object.fromEntries(late)).toMatchObject({
      'retry-after': '3600',
      'retry-after-ms': '3600000',
      ratelimit: '"rpm";r=1, "tpm";r=990',
    })
    for (const name of [...headers.keys(), ...late.keys()]) expect(name).not.toMatch(/^x-ratelimit/)
  })

  test.each([
    ['body', 5],
    ['cost.tokens', { cost: { tokens: -1 } }],
    ['cost.requests', { cost: { requests: 1.5 } }],
    ['cost.requests', { cost: { requests: '1' } }],
    ['cost.requests', { cost: { requests: 2 ** 53 } }],
    ['cost.coins', { cost: { coins: 1 } }],
    ['cost', { cost: [1] }],
    ['cost', { cost: [] }],
    ['cost', { cost: null }],
    ['resource', { resource: 'a b' }],
    ['resource', { resource: '_mine_' }],
    ['reserv', { reserv: true }],
    ['dry_run', { dry_run: 'yes' }],
    ['user', { user: '' }],
    ['context.tier', { context: { tier: 'a b' } }],
    ['context.plan', { context: { plan: 'a' } }],
    ['expires_in_seconds', { reserve: true, expires_in_seconds: 0 }],
    ['expires_in_seconds', { reserve: true, expires_in_seconds: 3601 }],
    ['expires_in_seconds', { reserve: true, expires_in_seconds: 1.5 }],
    ['idempotency_key', { idempotency_key: '' }],
    ['idempotency_key', { idempotency_key: 'x'.repeat(256) }],
  ])('with an invalid %s is rejected in the shape of /v1, and charges nothing: %j', async (field, body) => {
    const { check, stored } = await createCheckingApp()
    expect(await check(body, ADMIN_FOR_BOB)).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid_request', type: 'invalid_request_error', param: field } },
    })
    expect(await stored()).toEqual({})
  })

  test('keeps its shape when denied, and has flat errors if the setting is flat', async () => {
    const { check } = await createCheckingApp({ settings: { errorFormat: 'flat' } })
    expect(await check({ cost: { tokens: -1 } })).toMatchObject({
      status: 400,
      body: { error: 'invalid_request', field: 'cost.tokens' },
    })
    const rejected = denied(await check({ cost: { requests: 11 } }))
    expect(rejected).toMatchObject({ error: 'rate_limit_exceeded', allowed: false })
    const list = await check([{ cost: { requests: 11 } }, {}])
    expect(list.body).toMatchObject([{ error: 'rate_limit_exceeded' }, { allowed: true }])
  })

  test('has the headers of its own limit, even if a policy has more available', async () => {
    const { send, check } = await createCheckingApp()
    await send('PUT', '/api/policies/GLOBAL/*', {
      body: { limits: [{ name: 'rph', limit: 1_000_000, per: 'hour' }] },
    })
    for (const requests of [11, 1]) {
      const { headers } = await check({ cost: { requests } })
      expect(headers.get('ratelimit-policy')).toContain('"rpm";q=10')
      expect(headers.get('ratelimit-policy')).not.toContain('GLOBAL')
    }
  })

  test('has the headers of the policy that denies', async () => {
    const { send, check } = await createCheckingApp()
    await send('PUT', '/api/policies/GLOBAL/*', {
      body: { limits: [{ name: 'rph', limit: 2, per: 'hour' }] },
    })
    const { headers, body } = await check({ cost: { requests: 3 } })
    expect(body).toMatchObject({ error: { code: 'rate_limit_exceeded', type: 'requests' } })
    expect(headers.get('ratelimit-policy')).toContain('"tpm";q=1000')
    expect(headers.get('ratelimit-policy')).toContain('"GLOBAL/rph";q=2')
    expect(headers.get('ratelimit')).toContain('"GLOBAL/rph";r=2')
  })

  test.each([
    ['_total_', 400],
    ['_default_', 200],
    ['_other_', 200],
  ])('of the resource %s returns %i', async (resource, status) => {
    const { send, check } = await createCheckingApp()
    const response = await check({ resource })
    expect(response.status).toBe(status)
    if (status === 400)
      expect(response.body).toMatchObject({
        error: { param: 'resource', message: expect.stringContaining('_total_') },
      })
    expect((await check([{}, { resource }])).status).toBe(status)
    expect((await send('GET', `/api/limits/key-bob?resource=${resource}`)).status).toBe(200)
  })

  test('requires a known key', async () => {
    const { check } = await createCheckingApp()
    for (const headers of [{}, { 'x-api-key': 'the-secret-of-nobody' }])
      expect((await check({}, { ...headers })).status).toBe(401)
  })

  test('is not allowed for a model that the caller may not use, while other resources are', async () => {
    const { send, check, passes, stored } = await createCheckingApp()
    await send('PATCH', '/api/entities/key-bob', { body: { models: ['tiny-model'] } })
    expect(await check({ resource: 'gpt-4' })).toMatchObject({
      status: 403,
      body: { error: { code: 'model_not_allowed' } },
    })
    expect(await check([{}, { resource: 'gpt-4' }])).toMatchObject({ status: 403 })
    expect([await stored(), await stored('gpt-4')]).toEqual([{}, {}])
    for (const resource of ['tiny-model', 'search', '_default_']) await passes({ resource })
  })

  test('accepts a context from an admin only', async () => {
    const { check, passes } = await createCheckingApp()
    const body = { context: { tenant: 'free_co', model: 'org/tiny', tier: 'free' }, user: 'ann' }
    await passes(body, ADMIN_FOR_BOB)
    expect(await check(body, BOB)).toMatchObject({
      status: 403,
      body: { error: { code: 'forbidden', param: 'context' } },
    })
    expect(await check([{}, body], BOB)).toMatchObject({
      status: 403,
      body: { error: { param: '[1].context' } },
    })
  })

  test('passes user and context to the limiter', async () => {
    const { deps, passes } = await createCheckingApp()
    const sent: unknown[] = []
    const { decide } = deps.limiter
    deps.limiter.decide = (request) => {
      sent.push(request)
      return decide(request)
    }
    const context = { tenant: 'free_co' }
    await passes({ context, user: 'ann' }, ADMIN_FOR_BOB)
    await passes({}, { ...BOB, 'x-user-id': 'joe' })
    await passes({ user: 'ann' }, { ...BOB, 'x-user-id': 'joe' })
    await passes({}, BOB)
    expect(sent).toEqual([
      expect.objectContaining({ entityId: 'key-bob', user: 'ann', context, settles: false }),
      expect.objectContaining({ user: 'joe' }),
      expect.objectContaining({ user: 'ann' }),
      expect.not.objectContaining({ user: expect.anything() }),
    ])
  })
})

describe('a check under settings', () => {
  test('does not call the limiter if that is bypassed, with or without a reservation', async () => {
    const { passes, stored, end } = await createCheckingApp({ settings: { bypassLimiter: true } })
    const response = await passes({ cost: { requests: 99 }, reserve: true })
    expect(response).toMatchObject({ allowed: true, limits: [], violations: [] })
    expect(await end('settle', { reservation_id: response.reservation_id, cost: {} })).toMatchObject({
      status: 200,
      body: { settled: true },
    })
    expect(await stored()).toEqual({})
  })

  test('passes and is counted if limiting is off', async () => {
    const { passes, stored } = await createCheckingApp({ settings: { rateLimitingEnabled: false } })
    expect(await passes({ cost: { requests: 99 } })).toMatchObject({ limits: [] })
    expect(await stored()).toMatchObject({ used_requests: 99n })
  })
})

describe('a check while the buckets are unavailable', () => {
  const unavailable = async (onUnavailable: string) => {
    const buckets = createMemoryBucketStore()
    const app = await createCheckingApp({ table: { buckets } })
    const limit = { name: 'rpm', capacity: 10, refill_rate: 1, on_unavailable: onUnavailable }
    await app.send('PUT', '/api/limits/key-bob', { body: { limits: [limit] } })
    buckets.write = () => Promise.reject(new StoreUnavailable('away', { mayHaveApplied: false }))
    return app
  }

  test('is 503 in the shape of /v1 if a limit is set to deny, at its position in a list', async () => {
    const { check } = await unavailable('deny')
    const single = await check({})
    expect(single).toMatchObject({
      status: 503,
      body: { error: { code: 'unavailable', type: 'server_error' }, degraded: true },
    })
    expect([...single.headers.keys()].filter((name) => /^(x-)?ratelimit/.test(name))).toEqual([])
    expect(single.headers.get('x-zael-degraded')).toBe('true')
    expect(single.headers.get('retry-after')).toBe('1')
    const list = await check([{}, { dry_run: true }])
    expect(list.headers.get('x-zael-degraded')).toBe('true')
    expect((await check([{ dry_run: true }])).headers.get('x-zael-degraded')).toBeNull()
    expect(list).toMatchObject({
      status: 200,
      body: [
        {
          allowed: false,
          degraded: true,
          error: { code: 'unavailable' },
          retry_after_seconds: 1,
          violations: [],
        },
        { allowed: true },
      ],
    })
  })

  test('is allowed and marked if the limit is set to allow', async () => {
    const { check, passes } = await unavailable('allow')
    expect(await passes({})).toMatchObject({ allowed: true, degraded: true, limits: [] })
    const { headers } = await check({})
    expect(headers.get('x-zael-degraded')).toBe('true')
    expect([...headers.keys()].filter((name) => /^(x-)?ratelimit/.test(name))).toEqual([])
  })
})

describe('a list of checks', () => {
  test('returns a result for each, in order, with the fields of a single response', async () => {
    const { check, left } = await createCheckingApp()
    const { status, headers, body } = await check([
      { cost: { requests: 6 } },
      { cost: { requests: 6 } },
      { resource: 'gpt-4', cost: { tokens: 5 } },
      { cost: { requests: 4 } },
      { cost: { requests: 99 } },
    ])
    expect({ status, body }).toMatchObject({
      status: 200,
      body: [
        { allowed: true, retry_after_seconds: 0 },
        {
          allowed: false,
          error: { code: 'rate_limit_exceeded', type: 'requests' },
          retry_after_seconds: 7200,
          violations: [{ requested: 6 }],
        },
        { allowed: true, limits: [{ resource: 'gpt-4' }, { resource: 'gpt-4', used: 5 }] },
        { allowed: true, limits: [{ available: 0 }, {}] },
        { allowed: false, retry_after_seconds: null },
      ],
    })
    expect(await left('rpm')).toBe(0)
    expect([...headers.keys()].filter((name) => name.includes('ratelimit'))).toEqual([])
  })

  test('of one check returns a list', async () => {
    const { check } = await createCheckingApp()
    expect(await check([{}])).toMatchObject({ status: 200, body: [{ allowed: true }] })
  })

  test('contains the JSON of a single check, to the letter', async () => {
    const { app, check, send } = await createCheckingApp()
    await send('PUT', '/api/defaults', { body: { limits: [{ name: 'itpm', capacity: 7, refill_rate: 3 }] } })
    const textOf = async (body: unknown): Promise<string> => {
      const headers = { ...BOB, 'content-type': 'application/json' }
      const sent = { method: 'POST', headers, body: JSON.stringify(body) }
      return (await app.request('/v1/limits/check', sent)).text()
    }
    await check({ cost: { requests: 3, tokens: 500 } })
    for (const each of [{ dry_run: true }, { dry_run: true, resource: 'gpt-4' }])
      expect(`[${await textOf(each)}]`).toBe(await textOf([each]))
  })

  test('gives the first what is available, even if a later one would be faster', async () => {
    const buckets = createMemoryBucketStore()
    const { check } = await createCheckingApp({ table: { buckets } })
    const { write } = buckets
    let writes = 0
    buckets.write = async (...parameters) => {
      if (writes++ === 0) await new Promise((resolve) => setImmediate(resolve))
      return write(...parameters)
    }
    const { body } = await check([{ cost: { requests: 7 } }, { cost: { requests: 7 } }])
    expect(body).toMatchObject([{ allowed: true }, { allowed: false }])
  })

  test('reserves each that requests it', async () => {
    const { check, end, left } = await createCheckingApp()
    const { body } = await check([{ reserve: true, cost: { tokens: 10 } }, { cost: { tokens: 20 } }])
    expect(body).toMatchObject([{ reservation_id: expect.any(String) }, {}])
    const [{ reservation_id }] = body as [{ reservation_id: string }]
    expect(await end('release', { reservation_id })).toMatchObject({ body: { released: true } })
    expect(await left('tpm')).toBe(980)
  })

  test.each([
    ['body', []],
    ['body', Array.from({ length: 26 }, () => ({}))],
    ['[3].cost.tokens', [{}, {}, {}, { cost: { tokens: -1 } }]],
    ['[1]', [{}, 5]],
    ['[1].resuorce', [{}, { resuorce: 'gpt-4' }]],
    ['[2].idempotency_key', [{ idempotency_key: 'a' }, {}, { idempotency_key: 'a' }]],
  ])('with an invalid %s is rejected as a whole, and nothing is charged', async (field, body) => {
    const { check, stored } = await createCheckingApp()
    expect(await check(body)).toMatchObject({ status: 400, body: { error: { param: field } } })
    expect(await stored()).toEqual({})
  })

  test('holds up to 25', async () => {
    const { check, left } = await createCheckingApp()
    const { status, body } = await check(Array.from({ length: 25 }, () => ({ cost: { requests: 1 } })))
    expect(status).toBe(200)
    expect((body as readonly { allowed: boolean }[]).map(({ allowed }) => allowed)).toEqual(
      Array.from({ length: 25 }, (_, index) => index < 10),
    )
    expect(await left('rpm')).toBe(0)
  })

  test('has a key for each, and is rejected as a whole if one is taken', async () => {
    const { check, left } = await createCheckingApp()
    const first = await check({ idempotency_key: 'a', cost: { requests: 2 } })
    const again = await check([
      { idempotency_key: 'a', cost: { requests: 2 } },
      { idempotency_key: 'b', cost: { requests: 3 } },
    ])
    expect(again).toMatchObject({ status: 200, body: [first.body, { limits: [{ available: 5 }, {}] }] })
    const other = [
      { idempotency_key: 'c', cost: { requests: 1 } },
      { idempotency_key: 'a', cost: { requests: 1 } },
    ]
    expect(await check(other)).toMatchObject({
      status: 409,
      body: { error: { code: 'conflict', param: '[1].idempotency_key' } },
    })
    expect(await left('rpm')).toBe(5)
    // the keys claimed before the rejection are free again
    expect(await check({ idempotency_key: 'c', cost: { requests: 2 } })).toMatchObject({ status: 200 })
    expect(await left('rpm')).toBe(3)
  })

  test('acts for the entity named by an admin', async () => {
    const { check, left } = await createCheckingApp()
    expect(await check([{}, {}], ADMIN_FOR_BOB)).toMatchObject({ status: 200 })
    expect(await check([{}], BOB)).toMatchObject({ status: 200 })
    expect(await left('rpm')).toBe(7)
  })
})
