import { describe, expect, test } from 'vitest'
import { createMemoryBucketStore } from '../../../src/store/memory/bucket-store.ts'
import { ADMIN_FOR_BOB, BOB, createCheckingApp } from './checking-app.ts'

describe('a list of checks', () => {
  test('answers each on its own, in order, with the fields of its own answer', async () => {
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

  test('of one is a list', async () => {
    const { check } = await createCheckingApp()
    expect(await check([{}])).toMatchObject({ status: 200, body: [{ allowed: true }] })
  })

  test('lets the first have what is left, also where a later one would be faster', async () => {
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

  test('reserves each that asks for it', async () => {
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
  ])('with a bad %s is refused as a whole, and nothing is charged', async (field, body) => {
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

  test('has a key for each, and is refused as a whole where one cannot be had', async () => {
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
    // what was claimed before the refusal is free again
    expect(await check({ idempotency_key: 'c', cost: { requests: 2 } })).toMatchObject({ status: 200 })
    expect(await left('rpm')).toBe(3)
  })

  test('acts for the entity that an admin names', async () => {
    const { check, left } = await createCheckingApp()
    expect(await check([{}, {}], ADMIN_FOR_BOB)).toMatchObject({ status: 200 })
    expect(await check([{}], BOB)).toMatchObject({ status: 200 })
    expect(await left('rpm')).toBe(7)
  })
})
