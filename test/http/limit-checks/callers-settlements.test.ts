import { describe, expect, test } from 'vitest'
import { entityBucket, policyBucket } from '../../../src/core/bucket/bucket-store.ts'
import { createMemoryBucketStore } from '../../../src/store/memory/bucket-store.ts'
import { createTestClock, SECOND } from '../../core/test-clock.ts'
import { createPolicyWorld } from '../policies/policy-world.ts'
import { createTestAdminStore } from '../test-admin-store.ts'

const MOST = Number.MAX_SAFE_INTEGER

const caller = (id: string) => ({ authorization: `Bearer ${id}` })

const adminFor = (id: string) => ({ authorization: 'Bearer the-admin-token', 'x-zael-entity': id })

/** The demo data: key-alice (30 rpm, 3000 tpm) and key-bob below proj-demo (50 rpm), and a GLOBAL policy over all. */
const demo = async () => {
  const [store, buckets, clock] = [createTestAdminStore(), createMemoryBucketStore(), createTestClock()]
  const world = await createPolicyWorld({ store, buckets, clock })
  const check = (id: string, body: object) =>
    world.send('POST', '/v1/limits/check', { headers: caller(id), body })
  const reserve = async (id: string, cost: object, more: object = {}): Promise<string> => {
    const { body } = await check(id, { cost, reserve: true, ...more })
    return (body as { reservation_id: string }).reservation_id
  }
  const settle = (reservation_id: string, cost: object, headers: Record<string, string>) =>
    world.send('POST', '/v1/limits/settle', { headers, body: { reservation_id, cost } })
  const stored = async (id: string) => (await buckets.read(entityBucket(id, '_default_'))) ?? {}
  const global = async () => (await buckets.read(policyBucket({ scope: 'GLOBAL', selector: '*' }))) ?? {}
  const available = async (id: string) => {
    const { body } = await world.send('GET', `/api/dashboard/availability/${id}?resource=_default_`)
    const { limits } = body as { limits: readonly { name: string; available: number }[] }
    return Object.fromEntries(limits.map((limit) => [limit.name, limit.available]))
  }
  return { ...world, clock, check, reserve, settle, stored, global, available }
}

describe('a caller who settles the largest amounts', () => {
  test('is denied themselves, while their siblings and other tenants are not', async () => {
    const { check, reserve, settle, stored, global, available } = await demo()
    const id = await reserve('key-alice', { requests: 1 })
    const settled = await settle(id, { requests: MOST, tokens: MOST }, caller('key-alice'))
    expect(settled).toMatchObject({ status: 200, body: { settled: true } })
    expect(await stored('proj-demo')).toMatchObject({ used_requests: 30n })
    expect(await stored('proj-demo')).not.toHaveProperty('used_tokens')
    expect(await global()).toMatchObject({ used_requests: 30n })

    expect((await check('key-alice', { cost: { requests: 1 } })).status).toBe(429)
    expect((await check('key-bob', { cost: { requests: 1, tokens: 1000 } })).status).toBe(200)
    expect((await check('free-co-key', { cost: { requests: 1, tokens: 1 } })).status).toBe(200)

    // 30 of alice's own, and one of bob's
    expect(await available('proj-demo')).toEqual({ rpm: 19, tpm: 9000 })
    expect(await available('key-alice')).toEqual({ rpm: 0, tpm: 0 })
    expect(await stored('key-alice')).toMatchObject({
      used_requests: BigInt(MOST),
      used_tokens: BigInt(MOST),
    })
  })

  test('can repeat it: all of it is charged to their own bucket, exactly', async () => {
    const { clock, reserve, settle, stored, available } = await demo()
    const ids = [await reserve('key-alice', { requests: 1 }), await reserve('key-alice', { requests: 1 })]
    for (const id of ids) await settle(id, { requests: MOST, tokens: MOST }, caller('key-alice'))
    const { used_requests, used_tokens, ttl = 0n } = await stored('key-alice')
    expect([used_requests, used_tokens]).toEqual([2n * BigInt(MOST), 2n * BigInt(MOST)])
    expect(ttl).toBeGreaterThan(clock.now() / SECOND + BigInt(MOST))
    expect(await available('proj-demo')).toEqual({ rpm: 20, tpm: 10_000 })
  })

  test('leaves every view readable, and their limits are full after a reset', async () => {
    const { send, check, reserve, settle, available } = await demo()
    await settle(
      await reserve('key-alice', { requests: 1 }),
      { requests: MOST, tokens: MOST },
      caller('key-alice'),
    )
    const denied = await check('key-alice', { cost: { requests: 1 } })
    expect(denied).toMatchObject({ status: 429, body: { violations: [{ available: 0, requested: 1 }] } })
    for (const path of [
      '/api/dashboard/entities?limit=50',
      '/api/dashboard/wait-time/key-alice?rpm=1',
      '/api/limits/key-alice/explain',
      '/api/ratelimit/status/key-alice',
      '/api/usage/key-alice',
    ])
      expect([path, (await send('GET', path)).status]).toEqual([path, 200])
    expect((await send('POST', '/api/limits/key-alice/top-up', { body: {} })).status).toBe(200)
    expect(await available('key-alice')).toEqual({ rpm: 30, tpm: 3000 })
    expect((await check('key-alice', { cost: { requests: 1 } })).status).toBe(200)
  })

  test('does not affect an administrator who settles for them, which is charged in full everywhere', async () => {
    const { reserve, settle, check, available } = await demo()
    const id = await reserve('key-alice', { requests: 1, tokens: 10 })
    await settle(id, { requests: 1, tokens: 20_000 }, adminFor('key-alice'))
    expect(await available('proj-demo')).toMatchObject({ tpm: 0 })
    expect((await check('key-bob', { cost: { tokens: 1 } })).status).toBe(429)
  })
})
