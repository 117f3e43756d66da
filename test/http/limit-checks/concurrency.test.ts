import { describe, expect, test } from 'vitest'
import { SECOND, START } from '../../core/test-clock.ts'
import { ALICE, createCheckingApp, denied } from './checking-app.ts'

const RESERVE = { reserve: true, cost: { requests: 1, tokens: 10 } }

/** key-bob may have two requests in flight. */
const twoInFlight = async (more: object = {}) => {
  const app = await createCheckingApp()
  const limits = [
    { name: 'conc', algorithm: 'concurrency', limit: 2, ...more },
    { name: 'tpm', capacity: 1000, refill_rate: 1 / 3600 },
    { name: 'rpm', capacity: 100, refill_rate: 1 },
  ]
  const put = await app.send('PUT', '/api/limits/key-bob', { body: { limits } })
  expect(put.status).toBe(200)
  const reserve = async (fields: object = {}) => {
    const { reservation_id = '' } = await app.passes({ ...RESERVE, ...fields })
    return reservation_id
  }
  const isFull = async () => (await app.check(RESERVE)).status === 429
  return { ...app, reserve, isFull }
}

describe('a concurrency limit', () => {
  test('is shown with its size, and refuses others', async () => {
    const { send } = await twoInFlight()
    expect((await send('GET', '/api/limits/key-bob')).body).toMatchObject({
      limits: [
        {
          name: 'conc',
          meter: 'requests',
          algorithm: 'concurrency',
          limit: 2,
          capacity: 2,
          lease_seconds: 60,
        },
        { name: 'tpm' },
        { name: 'rpm' },
      ],
    })
    const rejected = async (more: object) => {
      const limits = [{ name: 'conc', algorithm: 'concurrency', limit: 2, ...more }]
      const { status, body } = await send('PUT', '/api/limits/key-bob', { body: { limits } })
      return { status, ...(typeof body === 'object' && body) }
    }
    expect(await rejected({ limit: 201 })).toMatchObject({
      status: 400,
      message: 'limits[0].limit must be an integer from 0 to 200',
    })
    expect(await rejected({ lease_seconds: 0 })).toMatchObject({ status: 400 })
    expect(await rejected({ meter: 'tokens' })).toMatchObject({
      status: 400,
      message: 'limits[0].meter must be requests, or be left out: it counts the requests in flight',
    })
    expect(await rejected({ window_seconds: 5 })).toMatchObject({ status: 400 })
    const three = ['a', 'b', 'c'].map((name) => ({ name, algorithm: 'concurrency', limit: 2 }))
    expect((await send('PUT', '/api/limits/key-bob', { body: { limits: three } })).body).toMatchObject({
      message: 'limits must contain at most 2 limits of algorithm concurrency',
    })
  })

  test('denies the request that would be one too many, in the words of OpenAI and without headers', async () => {
    const { reserve, check, passes } = await twoInFlight()
    const first = await passes(RESERVE)
    expect(first.limits).toMatchObject([
      { limit_name: 'conc', algorithm: 'concurrency', capacity: 2, available: 1, used: 1 },
      { limit_name: 'tpm' },
      { limit_name: 'rpm' },
    ])
    await reserve()
    const response = await check(RESERVE)
    expect(denied(response)).toMatchObject({
      allowed: false,
      retry_after_seconds: 1,
      error: {
        type: 'requests',
        code: 'rate_limit_exceeded',
        message:
          'Rate limit reached for _default_ in organization proj-demo on concurrent requests: Limit 2, Used 2, Requested 1. Please try again in 1s.',
      },
      violations: [{ limit_name: 'conc', available: 0, requested: 1, capacity: 2, retry_after_seconds: 1 }],
    })
    const headers = Object.fromEntries(response.headers)
    expect(headers).toMatchObject({ 'retry-after': '1', 'retry-after-ms': '1000' })
    expect(headers['ratelimit-policy']).toBe('"tpm";q=1000;w=3600000;zael-meter="tokens", "rpm";q=100;w=100')
    expect(JSON.stringify(headers)).not.toContain('conc')
  })

  test('holds slots until the reservation is settled or released, each once', async () => {
    const { reserve, isFull, end } = await twoInFlight()
    const [first, second] = [await reserve(), await reserve()]
    expect(await isFull()).toBe(true)
    await end('settle', { reservation_id: first, cost: { tokens: 500 } })
    expect(await isFull()).toBe(false)
    // the check above holds the free slot
    expect(await isFull()).toBe(true)
    await end('settle', { reservation_id: first, cost: { tokens: 0 } })
    await end('release', { reservation_id: first })
    expect(await isFull()).toBe(true)
    await end('release', { reservation_id: second })
    expect(await isFull()).toBe(false)
  })

  test('is looked at by checks that reserve nothing, and by dry runs, which hold nothing', async () => {
    const { reserve, check, end } = await twoInFlight()
    const look = async (fields: object = {}) => (await check({ cost: { tokens: 1 }, ...fields })).status
    for (let round = 0; round < 5; round++) expect(await look()).toBe(200)
    expect(await look({ idempotency_key: 'once' })).toBe(200)
    expect(await look({ reserve: true, dry_run: true })).toBe(200)
    const [first] = [await reserve(), await reserve()]
    expect(await look()).toBe(429)
    expect(await look({ dry_run: true })).toBe(429)
    expect(await look({ idempotency_key: 'twice' })).toBe(429)
    await end('release', { reservation_id: first })
    expect(await look()).toBe(200)
    await reserve()
  })

  test('gets the slots of a holder that crashed back when their reservations expire', async () => {
    const { reserve, isFull, clock, end, left } = await twoInFlight()
    const crashed = await reserve({ expires_in_seconds: 30 })
    const alive = await reserve({ expires_in_seconds: 100 })
    clock.advance(29n * SECOND)
    expect(await isFull()).toBe(true)
    clock.advance(SECOND)
    expect(await left('conc')).toBe(1)
    expect(await isFull()).toBe(false)
    expect(await isFull()).toBe(true)
    // too late: the slot belongs to another by now
    await end('release', { reservation_id: crashed })
    expect(await isFull()).toBe(true)
    await end('settle', { reservation_id: alive, cost: {} })
    expect(await isFull()).toBe(false)
  })

  test('keeps the slots of a reservation that is extended', async () => {
    const { reserve, isFull, clock, end } = await twoInFlight()
    const [first] = [await reserve({ expires_in_seconds: 30 }), await reserve({ expires_in_seconds: 3600 })]
    clock.advance(25n * SECOND)
    const extended = await end('extend', { reservation_id: first, expires_in_seconds: 60 })
    expect(extended.body).toMatchObject({ extended: true, expires_at: Number(START / SECOND) + 85 })
    clock.advance(59n * SECOND)
    expect(await isFull()).toBe(true)
    await end('extend', { reservation_id: first }, ALICE)
    clock.advance(SECOND)
    expect(await isFull()).toBe(false)
    expect((await end('extend', { reservation_id: first })).body).toMatchObject({
      extended: false,
      state: 'expired',
    })
  })

  test('is refilled by a reset, and not by a top-up', async () => {
    const { reserve, isFull, send } = await twoInFlight()
    for (let slot = 0; slot < 2; slot++) await reserve()
    await send('POST', '/api/limits/key-bob/top-up', { body: { limit_name: 'conc', amount: 2 } })
    expect(await isFull()).toBe(true)
    await send('POST', '/api/limits/key-bob/reset', { body: { limit_name: 'conc' } })
    expect(await isFull()).toBe(false)
  })
})
