import { describe, expect, test } from 'vitest'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import type { IdempotencyStore, KeptResponse } from '../../../src/core/ports/idempotency-store.ts'
import { createMemoryBucketStore } from '../../../src/store/memory/bucket-store.ts'
import { SECOND } from '../../core/test-clock.ts'
import { createMemoryIdempotencyStore } from '../../support/memory-request-stores.ts'
import { ADMIN_FOR_BOB, ALICE, allowed, BOB, createCheckingApp } from './checking-app.ts'

const HOUR = 3600n * SECOND

const ONCE = { idempotency_key: 'once', cost: { tokens: 100 } }

const lost = () => new StoreUnavailable('lost', { mayHaveApplied: true })

const rejected = () => new StoreUnavailable('refused', { mayHaveApplied: false })

/** The store in memory, with some calls replaced by the test. */
const storeWith = (change: (store: IdempotencyStore) => Partial<IdempotencyStore>) => {
  const store = createMemoryIdempotencyStore()
  return { ...store, ...change(store) }
}

/** Resolves when the test releases it. */
const gate = () => {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open: () => open(), opened }
}

describe('an idempotency key', () => {
  test('returns the same response for the same body for 24 hours, headers included, and charges once', async () => {
    const { check, passes, left, stored, clock } = await createCheckingApp()
    const first = await check(ONCE)
    await passes({ cost: { tokens: 50 } })
    clock.advance(24n * HOUR - 1n)
    const again = await check(ONCE)
    expect([again.status, again.body]).toEqual([200, first.body])
    expect(again.headers.get('ratelimit')).toContain('"tpm";r=900')
    expect(await stored()).toMatchObject({ used_tokens: 150n })
    clock.advance(1n)
    await check(ONCE)
    expect(await stored()).toMatchObject({ used_tokens: 250n })
    expect(await left('tpm')).toBe(774)
  })

  test('does not keep a denial: the same key is decided again, with another body too', async () => {
    const { check, stored, clock } = await createCheckingApp()
    await check({ cost: { requests: 10 } })
    expect((await check({ ...ONCE, cost: { requests: 2 } })).status).toBe(429)
    expect((await check({ ...ONCE, cost: { requests: 2 } })).status).toBe(429)
    clock.advance(HOUR)
    expect((await check({ ...ONCE, cost: { requests: 1 } })).status).toBe(200)
    expect(await stored()).toMatchObject({ denied: 2n, used_requests: 11n })
  })

  test('returns the original reservation, which can be settled once', async () => {
    const { passes, end, left, stored } = await createCheckingApp()
    const body = { ...ONCE, reserve: true }
    const { reservation_id } = await passes(body)
    expect((await passes(body)).reservation_id).toBe(reservation_id)
    await end('settle', { reservation_id, cost: { tokens: 10 } })
    expect(await left('tpm')).toBe(990)
    expect(await stored()).toMatchObject({ used_tokens: 10n })
  })

  test('counts a final check as used, and charges its bucket for good', async () => {
    const { passes, stored, left } = await createCheckingApp()
    await passes({ ...ONCE, cost: { requests: 1, input_tokens: 10, output_tokens: 5 } })
    expect(await stored()).toMatchObject({ used_requests: 1n, used_tokens: 15n, used_input_tokens: 10n })
    expect(await left('tpm')).toBe(985)
  })

  test('treats equivalent JSON as the same body', async () => {
    const { check, left } = await createCheckingApp()
    const key = { idempotency_key: 'once' }
    await check({ ...key, cost: { requests: 1, tokens: 5 }, dry_run: false })
    expect((await check({ cost: { tokens: 5, requests: 1 }, ...key })).status).toBe(200)
    expect(await left('rpm')).toBe(9)
  })

  test.each([
    ['cost', { cost: { tokens: 101 } }],
    ['resource', { resource: 'gpt-4' }],
    ['user', { user: 'ann' }],
    ['dry_run', { dry_run: true }],
    ['reserve', { reserve: true }],
    ['context', { context: { tenant: 'free_co' } }],
  ])('belongs to one body: another %s is a conflict', async (_, more) => {
    const { check, left } = await createCheckingApp()
    await check(ONCE, ADMIN_FOR_BOB)
    expect(await check({ ...ONCE, ...more }, ADMIN_FOR_BOB)).toMatchObject({
      status: 409,
      body: { error: { code: 'conflict', type: 'invalid_request_error', param: 'idempotency_key' } },
    })
    expect(await left('tpm')).toBe(900)
  })

  test('belongs to its caller', async () => {
    const { check, left } = await createCheckingApp()
    const [bob, alice] = [allowed(await check(ONCE)), allowed(await check({ ...ONCE, cost: {} }, ALICE))]
    expect(alice).not.toEqual(bob)
    expect(allowed(await check(ONCE, ADMIN_FOR_BOB))).toEqual(bob)
    expect(await left('tpm')).toBe(900)
  })

  test('in progress is a conflict, and then has the response', async () => {
    const buckets = createMemoryBucketStore()
    const { check, left } = await createCheckingApp({ table: { buckets } })
    const { open, opened } = gate()
    const { write } = buckets
    buckets.write = async (...parameters) => {
      await opened
      return write(...parameters)
    }
    const first = check(ONCE)
    await new Promise((resolve) => setImmediate(resolve))
    expect(await check(ONCE)).toMatchObject({ status: 409, body: { error: { code: 'conflict' } } })
    open()
    expect((await check(ONCE)).body).not.toEqual(undefined)
    expect((await first).status).toBe(200)
    expect((await check(ONCE)).body).toEqual((await first).body)
    expect(await left('tpm')).toBe(900)
  })

  test('left pending by a dead process is free after a minute for the same body only', async () => {
    const idempotency = storeWith(() => ({ finish: () => new Promise(() => {}) }))
    const dying = await createCheckingApp({ table: { idempotency } })
    const { table, clock } = dying
    void dying.check(ONCE)
    await new Promise((resolve) => setImmediate(resolve))
    const healthy = await createCheckingApp({
      table: { ...table, idempotency: { ...idempotency, finish: async () => 'kept' } },
    })
    clock.advance(60n * SECOND - 1n)
    expect((await healthy.check(ONCE)).status).toBe(409)
    clock.advance(1n)
    expect((await healthy.check({ ...ONCE, cost: { tokens: 1 } })).status).toBe(409)
    expect((await healthy.check(ONCE)).status).toBe(200)
    // it is unknown whether the dead process had charged: it did, and the charge stays
    expect(await healthy.left('tpm')).toBe(800)
  })
})

describe('an idempotency key of a check that charges nothing', () => {
  /** A store that counts what is written to it. */
  const counted = async (settings: { readonly leaseTtlMs?: number } = {}) => {
    let writes = 0
    const counting =
      <A extends readonly unknown[], R>(call: (...parameters: A) => R) =>
      (...parameters: A): R => {
        writes++
        return call(...parameters)
      }
    const idempotency = storeWith(({ begin, finish, abandon }) => ({
      begin: counting(begin),
      finish: counting(finish),
      abandon: counting(abandon),
    }))
    const app = await createCheckingApp({ table: { idempotency }, limiter: settings })
    return { ...app, writes: () => writes }
  }
  const fresh = (index: number) => ({ idempotency_key: `fresh-${index}` })

  test.each([
    ['can never pass', { cost: { requests: 11 } }, 429],
    ['costs nothing', { cost: { requests: 0 } }, 200],
    ['names no meter', { cost: {} }, 200],
    ['is a dry run', { dry_run: true }, 200],
  ])('writes no record if it %s', async (_, body, status) => {
    const { check, writes } = await counted()
    await check({ dry_run: true })
    for (let index = 0; index < 5; index++)
      expect((await check({ ...body, ...fresh(index) })).status).toBe(status)
    expect((await check([{ ...body, ...fresh(6) }])).status).toBe(200)
    expect(writes()).toBe(0)
  })

  test('writes no record if this process remembers the denial', async () => {
    const { check, writes, stored } = await counted({ leaseTtlMs: 1000 })
    await check({ cost: { requests: 10 } })
    expect((await check({ ...fresh(0), cost: { requests: 1 } })).status).toBe(429)
    const before = writes()
    for (let index = 1; index < 20; index++)
      expect((await check({ ...fresh(index), cost: { requests: 1 } })).status).toBe(429)
    expect(writes()).toBe(before)
    expect(await stored()).toMatchObject({ denied: 20n })
  })

  test('returns the allowed response of its key, even if a denial is remembered', async () => {
    const { check, left } = await counted({ leaseTtlMs: 1000 })
    const body = { ...ONCE, cost: { requests: 5 } }
    const first = await check(body)
    expect(first.status).toBe(200)
    expect((await check({ cost: { requests: 5 } })).status).toBe(200)
    for (const _ of 'two') expect((await check({ cost: { requests: 5 } })).status).toBe(429)
    expect((await check(body)).body).toEqual(first.body)
    expect((await check({ ...body, cost: { requests: 6 } })).status).toBe(409)
    expect(await left('rpm')).toBe(0)
  })

  test('charges once if it is unexpectedly allowed', async () => {
    const { check, left, deps, writes } = await counted()
    deps.limiter.foreseesDenial = () => true
    const first = await check(ONCE)
    expect(first.status).toBe(200)
    expect(writes()).toBe(2)
    expect((await check(ONCE)).body).toEqual(first.body)
    expect(await left('tpm')).toBe(900)
  })

  test.each([true, false])(
    'keeps no header of the response to one request (denial foreseen: %s)',
    async (foreseen) => {
      const kept: KeptResponse[] = []
      const idempotency = storeWith(({ finish }) => ({
        finish: (attempt, response) => {
          kept.push(response)
          return finish(attempt, response)
        },
      }))
      const { check, deps } = await createCheckingApp({ table: { idempotency } })
      deps.limiter.foreseesDenial = () => foreseen
      expect((await check(ONCE)).headers.get('x-request-id')).not.toBeNull()
      expect(kept).toHaveLength(1)
      expect(kept[0]?.headers).not.toHaveProperty('x-request-id')
    },
  )

  test('refunds an unexpected charge if the key was taken meanwhile', async () => {
    const idempotency = storeWith(() => ({ begin: async () => ({ outcome: 'pending' }) }))
    const { check, left, deps } = await createCheckingApp({ table: { idempotency } })
    deps.limiter.foreseesDenial = () => true
    expect((await check(ONCE)).status).toBe(409)
    expect(await left('tpm')).toBe(1000)
  })
})

describe('an idempotency key whose record fails', () => {
  test('leaves nothing charged if its record cannot be started, and is free as soon as it can', async () => {
    let isUnavailable = true
    const idempotency = storeWith(({ begin }) => ({
      async begin(beginning) {
        const outcome = await begin(beginning)
        if (isUnavailable) throw lost()
        return outcome
      },
    }))
    const { check, left } = await createCheckingApp({ table: { idempotency } })
    expect((await check(ONCE)).status).toBe(503)
    expect((await check([ONCE, {}])).status).toBe(503)
    expect([await left('tpm'), await left('rpm')]).toEqual([1000, 10])
    isUnavailable = false
    expect((await check(ONCE)).status).toBe(200)
  })

  test('refunds the charge if the response was certainly not stored', async () => {
    let isUnavailable = true
    const idempotency = storeWith(({ finish }) => ({
      finish: (...parameters) => (isUnavailable ? Promise.reject(rejected()) : finish(...parameters)),
    }))
    const { check, left, stored } = await createCheckingApp({ table: { idempotency } })
    for (const more of [{}, { idempotency_key: 'reserved', reserve: true }])
      expect((await check({ ...ONCE, ...more })).status).toBe(503)
    expect(await left('tpm')).toBe(1000)
    isUnavailable = false
    expect((await check(ONCE)).status).toBe(200)
    expect(await left('tpm')).toBe(900)
    expect(await stored()).toMatchObject({ used_tokens: 100n })
  })

  test.each([true, false])(
    'stays taken if it is unknown whether the response was stored (it was: %s)',
    async (isApplied) => {
      const idempotency = storeWith(({ finish }) => ({
        async finish(...parameters) {
          if (isApplied) await finish(...parameters)
          throw lost()
        },
      }))
      const { check, left, stored } = await createCheckingApp({ table: { idempotency } })
      const first = await check(ONCE)
      expect(first.status).toBe(200)
      const again = await check(ONCE)
      expect(again.status).toBe(isApplied ? 200 : 409)
      expect(await left('tpm')).toBe(900)
      expect(await stored()).toMatchObject({ used_tokens: 100n })
    },
  )

  test('stores a response at the second attempt, if the first is lost and the second rejected', async () => {
    let tries = 0
    const idempotency = storeWith(({ finish }) => ({
      async finish(...parameters) {
        tries++
        if (tries > 1) throw rejected()
        await finish(...parameters)
        throw lost()
      },
    }))
    const { check, left } = await createCheckingApp({ table: { idempotency } })
    const first = await check(ONCE)
    expect([first.status, tries]).toEqual([200, 2])
    expect((await check(ONCE)).body).toEqual(first.body)
    expect(await left('tpm')).toBe(900)
  })

  test('refunds the charge if another attempt has taken over', async () => {
    const idempotency = storeWith(() => ({ finish: async () => 'lost' }))
    const { check, left, stored } = await createCheckingApp({ table: { idempotency } })
    expect(await check(ONCE)).toMatchObject({ status: 409, body: { error: { code: 'conflict' } } })
    expect(await check([{ ...ONCE, idempotency_key: 'other' }])).toMatchObject({
      status: 200,
      body: [{ allowed: false, error: { code: 'conflict' }, limits: [], violations: [] }],
    })
    expect(await left('tpm')).toBe(1000)
    expect(await stored()).not.toHaveProperty('used_tokens')
  })

  test('stores neither a 503 nor another error', async () => {
    const buckets = createMemoryBucketStore()
    const { check, send, left, deps } = await createCheckingApp({ table: { buckets } })
    const { write } = buckets
    buckets.write = () => Promise.reject(rejected())
    expect((await check(ONCE)).status).toBe(503)
    buckets.write = write
    const { decide } = deps.limiter
    deps.limiter.decide = () => Promise.reject(new Error('a fault'))
    expect((await check(ONCE)).status).toBe(500)
    deps.limiter.decide = decide
    await send('POST', '/api/limits/key-bob/reset', { body: {} })
    expect((await check(ONCE)).status).toBe(200)
    expect(await left('tpm')).toBe(900)
  })

  test('charges nothing for a rejected body', async () => {
    const { check } = await createCheckingApp()
    expect((await check({ ...ONCE, cost: { tokens: -1 } })).status).toBe(400)
    expect((await check(ONCE, BOB)).status).toBe(200)
  })
})
