import { describe, expect, test } from 'vitest'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import { createInterleavedStore } from '../interleaved-store.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { createTestNode, createTestWorld } from '../test-limiter.ts'
import { admits, available, reserve, reserveCost, stored, worldOf } from '../token-world.ts'

/** Regression cases on the real limiter: sizes that change while they are in use. Times in seconds. */

describe('a limit that is changed', () => {
  test('is carried over once by two nodes, one with the old size cached, and never back', async () => {
    const world = worldOf(100, 1)
    const old = world.join({ configCacheMs: 30_000 })
    expect(await admits(old, 50)).toBe(true)
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ tpm: [1000, 10] }))
    const fresh = world.join({ configCacheMs: 30_000 })
    expect(await admits(fresh, 1)).toBe(true)
    expect(await available(world)).toBe(949)
    for (let turn = 0; turn < 20; turn++) expect(await admits(turn % 2 === 0 ? old : fresh, 10)).toBe(true)
    expect(await available(world)).toBe(749)
    const item = await world.buckets.read(entityBucket('key', '_default_'))
    expect(item?.tpm_limit).toBe('token_bucket 1000 per 100s')
    // one write for the carry-over and one for the outdated guess; every other charge is one write
    expect((old.counts.bucket_writes ?? 0) + (fresh.counts.bucket_writes ?? 0)).toBeLessThanOrEqual(26)
  })

  test('refunds nothing that was reserved in the old unit', async () => {
    const world = worldOf(100, 1)
    const held = await reserve(world.node, 50)
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ tpm: [100, 10] }))
    const fresh = world.join()
    expect(await admits(fresh, 1)).toBe(true)
    await held.reservation.settle({ tokens: 0 })
    expect(await available(world)).toBe(49)
  })

  test('counts a top-up between reserving and settling as already refunded', async () => {
    const world = worldOf(100, 1 / 3600)
    const held = await reserve(world.node, 50)
    expect(await admits(world.node, 40)).toBe(true)
    await world.node.limiter.topUp('key', { amount: 50 })
    expect(await available(world)).toBe(60)
    await held.reservation.settle({ tokens: 0 })
    expect(await available(world)).toBe(100)
    expect(await admits(world.node, 100)).toBe(true)
  })

  test('orders every change: three puts, a deletion, a role, another default of the environment', async () => {
    const world = createTestWorld({ configCacheMs: 0, defaultLimits: limitsOf({ tpm: [60, 1] }) })
    const tokens = async (): Promise<number | undefined> => {
      expect(await admits(world.node, 1)).toBe(true)
      return (await world.node.limiter.status('key', '_default_')).limits[0]?.capacity
    }
    world.config.putEntity('key', { version: 1n })
    expect(await tokens()).toBe(60)
    for (const capacity of [10, 20, 30]) {
      world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ tpm: [capacity, 1] }))
      world.clock.advance(2n * SECOND)
      expect(await tokens()).toBe(capacity)
    }
    world.config.putLimits(entityOwner('key'), '_default_', [])
    world.clock.advance(2n * SECOND)
    expect(await tokens()).toBe(60)
    world.config.putLimits({ kind: 'role', role: 'admin' }, '_default_', limitsOf({ tpm: [500, 5] }), 3n)
    world.config.putEntity('key', { role: 'admin', version: 100n })
    world.clock.advance(2n * SECOND)
    expect(await tokens()).toBe(500)
    expect(world.node.counts.decisions_contended).toBeUndefined()
  })

  test('of the same version in two environments is kept while in use, and adopted once full', async () => {
    const world = createTestWorld({ defaultLimits: limitsOf({ tpm: [60, 1] }) })
    world.config.putEntity('key')
    expect(await admits(world.node, 50)).toBe(true)
    const restarted = world.join({ defaultLimits: limitsOf({ tpm: [600, 10] }) })
    expect(await admits(restarted, 11)).toBe(false)
    expect(await admits(restarted, 10)).toBe(true)
    world.clock.advance(61n * SECOND)
    expect(await admits(restarted, 600)).toBe(true)
  })

  test.each(['_default_', '_total_'])(
    'of a role that the entity has left counts no longer: %s',
    async (resource) => {
      const world = createTestWorld({ configCacheMs: 0 })
      const role = (name: string) => ({ kind: 'role', role: name }) as const
      world.config.putEntity('key', { role: 'old', version: 10n })
      world.config.putLimits(role('new'), resource, limitsOf({ tpm: [500, 5] }), 5n)
      world.config.putLimits(role('old'), resource, limitsOf({ tpm: [10, 1 / 60] }), 20n)
      expect(await admits(world.node, 5)).toBe(true)
      world.config.putEntity('key', { role: 'new', version: 30n })
      world.clock.advance(2n * SECOND)
      expect(await admits(world.node, 100)).toBe(true)
    },
  )

  test('is correct on a node with a fresh read if another node missed the previous change', async () => {
    const world = createTestWorld()
    world.config.putEntity('key')
    world.config.putEntity('other')
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ tpm: [100, 1 / 3600] }), 5n)
    const [mixed, fresh] = [world.join(), world.join()]
    // defaults are read 20 seconds before the limits of the key, and so expire earlier
    await admits(mixed, 1, { entityId: 'other', dryRun: true })
    world.clock.advance(20n * SECOND)
    await admits(mixed, 1, { dryRun: true })
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ tpm: [1000, 1 / 3600] }), 7n)
    world.config.putLimits({ kind: 'system' }, '_default_', limitsOf({ rpm: [1000, 1000] }), 10n)
    world.clock.advance(11n * SECOND)
    expect(await admits(mixed, 10)).toBe(true)
    expect(await stored(world)).toMatchObject({
      tpm_version: 10n,
      tpm_limit: expect.stringMatching(/ 100 per/),
    })
    for (const node of [fresh, mixed, fresh, mixed]) {
      expect(await admits(node, 10)).toBe(true)
      expect((await stored(world)).tpm_limit).toMatch(/ 1000 per/)
    }
    expect(await available(world)).toBe(950)
  })

  test('denies nothing and is carried over while busy nodes have the old limit cached', async () => {
    const world = worldOf(1_000_000, 1)
    let made = 7
    const buckets = createInterleavedStore(world.buckets, () => {
      made = (made * 1_103_515_245 + 12_345) % 2 ** 31
      return { there: 1 + ((made >> 8) % 20), back: 1 + ((made >> 12) % 20), end: 'delivered' }
    })
    const settings = { configCacheMs: 30_000 }
    const [old, fresh] = [
      createTestNode({ ...world, buckets, settings }),
      createTestNode({ ...world, buckets }),
    ]
    expect(await admits(old, 1)).toBe(true)
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ tpm: [2_000_000, 1] }))
    let left = 2000
    const callers = Array.from({ length: 16 }, async () => {
      while (left-- > 0) await admits(old, 1)
    })
    for (let turn = 0; turn < 20; turn++) expect(await admits(fresh, 1)).toBe(true)
    world.clock.advance(31n * SECOND)
    for (let turn = 0; turn < 5; turn++) await admits(fresh, 1)
    expect(left).toBeGreaterThan(0)
    await Promise.all(callers)
    expect((await stored(world)).tpm_limit).toMatch(/ 2000000 per/)
  })

  test('refunds nothing if it was changed and changed back, or had another default meanwhile', async () => {
    const world = worldOf(100, 1 / 3600)
    const held = await reserve(world.join(), 50)
    for (const capacity of [200, 100]) {
      world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ tpm: [capacity, 1 / 3600] }))
      expect(await admits(world.join(), 1)).toBe(true)
    }
    await held.reservation.settle({ tokens: 0 })
    expect(await available(world)).toBe(48)
  })

  test('of the same version in another environment refunds nothing', async () => {
    const world = createTestWorld({ defaultLimits: limitsOf({ tpm: [100, 1 / 3600] }) })
    world.config.putEntity('key')
    const held = await reserve(world.node, 50)
    const other = world.join({ defaultLimits: limitsOf({ tpm: [1000, 1 / 3600] }) })
    await other.limiter.topUp('key', {})
    expect(await admits(other, 500)).toBe(true)
    await held.reservation.settle({ tokens: 0 })
    expect((await other.limiter.status('key', '_default_')).limits[0]?.available).toBe(500)
  })

  test('does not affect the other limits of its bucket', async () => {
    const world = worldOf(100, 1 / 3600)
    const both = (tokens: number) => limitsOf({ tpm: [tokens, 1 / 3600], rpm: [10, 1 / 3600] })
    world.config.putLimits(entityOwner('key'), '_default_', both(100))
    const held = await reserveCost(world.join(), { requests: 1, tokens: 50 })
    world.config.putLimits(entityOwner('key'), '_default_', both(200))
    expect(await admits(world.join(), 10)).toBe(true)
    await held.reservation.release()
    const { limits } = await world.join().limiter.status('key', '_default_')
    expect(limits.map((limit) => limit.available)).toEqual([140, 10])
  })

  test('is not created twice: the later of two stays', async () => {
    const world = worldOf(100, 1)
    const [old, fresh] = [world.join({ configCacheMs: 30_000 }), world.join()]
    const withRpm = (capacity: number) => limitsOf({ tpm: [100, 1], rpm: [capacity, 1] })
    expect(await admits(old, 1)).toBe(true)
    world.clock.advance(SECOND)
    world.config.putLimits(entityOwner('key'), '_default_', withRpm(5))
    const late = world.join({ configCacheMs: 30_000 })
    expect(await admits(late, 1)).toBe(true)
    world.config.putLimits(entityOwner('key'), '_default_', withRpm(9))
    await reserveCost(fresh, { requests: 1 })
    world.clock.advance(5n * SECOND)
    await reserveCost(late, { requests: 1 })
    expect((await stored(world)).rpm_limit).toBe('token_bucket 9 per 9s')
  })

  test('is refunded in full if only its source has a later version, as after any change of the entity', async () => {
    const world = worldOf(100, 1 / 3600)
    expect(await admits(world.node, 1)).toBe(true)
    world.config.putEntity('key', { name: 'new', version: 1000n })
    const held = await reserve(world.join(), 50)
    await held.reservation.settle({ tokens: 0 })
    expect(await available(world)).toBe(99)
  })

  test('is owed in the unit of the current limit, even by a node with the old one cached', async () => {
    const world = worldOf(100, 1 / 3600)
    const held = await reserve(world.join(), 10)
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ tpm: [1000, 10 / 3600] }))
    expect(await admits(world.join(), 10)).toBe(true)
    await held.reservation.settle({ tokens: 60 })
    expect(await available(world)).toBe(930)
  })

  test('is owed by the later of two that are new to the bucket', async () => {
    const world = worldOf(100, 1)
    const withRpm = (capacity: number) => limitsOf({ tpm: [100, 1], rpm: [capacity, 1] })
    world.config.putLimits(entityOwner('key'), '_default_', withRpm(5))
    const held = await reserve(world.join(), 1)
    world.config.putLimits(entityOwner('key'), '_default_', withRpm(9))
    await reserveCost(world.join(), { requests: 1 })
    world.clock.advance(5n * SECOND)
    await held.reservation.settle({ tokens: 1, requests: 3 })
    expect((await stored(world)).rpm_limit).toBe('token_bucket 9 per 9s')
    const { limits } = await world.join().limiter.status('key', '_default_')
    expect(limits.map((limit) => limit.available)).toEqual([100, 6])
  })
})
