import { describe, expect, it } from 'vitest'
import { bucketKey, entityBucket } from '../../../src/core/bucket/bucket-id.ts'
import type { BucketStore } from '../../../src/core/bucket/bucket-store.ts'
import type { Allowed, DecisionRequest } from '../../../src/core/deciding/decision.ts'
import { StoreUnavailable } from '../../../src/core/errors.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { createTestNode, createTestWorld, type TestNode, type TestWorld } from '../test-limiter.ts'

/** The cases that broke earlier drafts of the design, on the real limiter. Times in seconds. */

const reserve = async (node: TestNode, tokens: number): Promise<Allowed> => {
  const decision = await node.limiter.decide({ entityId: 'key', cost: { tokens }, settles: true })
  if (!decision.allowed) throw new Error(`denied ${tokens}`)
  return decision
}

const admits = async (
  node: TestNode,
  tokens: number,
  options: Partial<DecisionRequest> = {},
): Promise<boolean> =>
  (await node.limiter.decide({ entityId: 'key', cost: { tokens }, settles: false, ...options })).allowed

const worldOf = (capacity: number, refillRate: number): TestWorld => {
  const world = createTestWorld({ configCacheMs: 1 })
  world.config.putEntity('key')
  world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ tpm: [capacity, refillRate] }))
  return world
}

const available = async (world: TestWorld): Promise<number | undefined> =>
  (await world.join().limiter.status('key', '_default_')).limits[0]?.available

describe('overlapping reservations', () => {
  for (const isShared of [true, false]) {
    it(`count what was used after another refund (${isShared ? 'one node' : 'several nodes'})`, async () => {
      const world = worldOf(200, 1)
      const at = (seconds: bigint) =>
        world.clock.advanceTo(world.clock.now() - world.clock.monotonic() + seconds * SECOND)
      const [a, b, c] = isShared
        ? [world.node, world.node, world.node]
        : [world.join(), world.join(), world.join()]
      const first = await reserve(a, 100)
      const second = await reserve(b, 100)
      at(10n)
      await first.reservation.settle({ tokens: 0 })
      at(50n)
      expect(await admits(c, 30)).toBe(true)
      at(60n)
      await second.reservation.settle({ tokens: 0 })
      // 20 of the 30 must still count; strict refunds may keep a little more
      expect(await available(world)).toBeLessThanOrEqual(180)
      expect(await available(world)).toBeGreaterThanOrEqual(160)
    })
  }
})

describe('a bucket that went away and came back', () => {
  it('is not charged by an old view of it', async () => {
    const world = worldOf(100, 1 / 3600)
    const [old, other] = [world.join(), world.join()]
    expect(await admits(old, 1)).toBe(true)
    world.buckets.expire(entityBucket('key', '_default_'))
    expect(await admits(other, 100)).toBe(true)
    expect(await admits(old, 99)).toBe(false)
  })

  it('gives nothing back for reservations of its earlier life', async () => {
    const world = worldOf(100, 1 / 3600)
    const [before, other] = [world.join(), world.join()]
    const held = await reserve(before, 98)
    await other.limiter.reset('key', {})
    expect(await admits(other, 98)).toBe(true)
    await held.reservation.settle({ tokens: 0 })
    expect(await available(world)).toBe(2)
    const item = await world.buckets.read(entityBucket('key', '_default_'))
    expect(item?.used_tokens).toBe(98n)
  })
})

describe('a limit that is changed', () => {
  it('is carried over once by two nodes of which one knows the old size, and never back', async () => {
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
    // one to carry over, one more for the guess that met it; every charge else is one write
    expect((old.counts.bucket_writes ?? 0) + (fresh.counts.bucket_writes ?? 0)).toBeLessThanOrEqual(26)
  })

  it('gives nothing back for what was reserved in the old measure', async () => {
    const world = worldOf(100, 1)
    const held = await reserve(world.node, 50)
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ tpm: [100, 10] }))
    const fresh = world.join()
    expect(await admits(fresh, 1)).toBe(true)
    await held.reservation.settle({ tokens: 0 })
    expect(await available(world)).toBe(49)
  })

  it('counts a top-up between reserving and settling as given back already', async () => {
    const world = worldOf(100, 1 / 3600)
    const held = await reserve(world.node, 50)
    expect(await admits(world.node, 40)).toBe(true)
    await world.node.limiter.topUp('key', { amount: 50 })
    expect(await available(world)).toBe(60)
    await held.reservation.settle({ tokens: 0 })
    expect(await available(world)).toBe(100)
    expect(await admits(world.node, 100)).toBe(true)
  })

  it('orders every change: three puts, a deletion, a role, another default of the environment', async () => {
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

  it('of the same version in two environments is kept while it is in use, and adopted once it is full', async () => {
    const world = createTestWorld({ defaultLimits: limitsOf({ tpm: [60, 1] }) })
    world.config.putEntity('key')
    expect(await admits(world.node, 50)).toBe(true)
    const restarted = world.join({ defaultLimits: limitsOf({ tpm: [600, 10] }) })
    expect(await admits(restarted, 11)).toBe(false)
    expect(await admits(restarted, 10)).toBe(true)
    world.clock.advance(61n * SECOND)
    expect(await admits(restarted, 600)).toBe(true)
  })
})

describe('sizes that do not divide evenly', () => {
  const admitted = async (capacity: number, refillRate: number, cost = 1): Promise<number> => {
    const world = worldOf(capacity, refillRate)
    let count = 0
    while (await admits(world.node, cost)) count += cost
    return count
  }

  it('admit exactly their capacity', async () => {
    expect(await admitted(7, 7 / 60)).toBe(7)
    expect(await admitted(1000, 16.666666666666668)).toBe(1000)
    expect(await admitted(25_000_000, 25_000_000 / 60, 250_000)).toBe(25_000_000)
    expect(await admitted(1_000_000_000, 1_000_000_000 / 60, 100_000_000)).toBe(1_000_000_000)
  })

  it('never refill faster than they say: 3 a second, 5.99 in a second less a hundredth', async () => {
    const world = worldOf(3, 3)
    expect(await admits(world.node, 3)).toBe(true)
    world.clock.advance(SECOND - 1n)
    expect(await admits(world.node, 3)).toBe(false)
    world.clock.advance(3n)
    expect(await admits(world.node, 3)).toBe(true)
  })
})

describe('a cost larger than the capacity', () => {
  it('is denied for ever without a write, and wins over waits that time would cure', async () => {
    const world = createTestWorld()
    world.config.putEntity('key')
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [1, 1], tpm: [100, 1] }))
    const ask = (tokens: number) =>
      world.node.limiter.decide({ entityId: 'key', cost: { requests: 1, tokens }, settles: false })
    expect((await ask(100)).allowed).toBe(true)
    const writes = world.node.counts.bucket_writes
    const decision = await ask(101)
    expect(decision).toMatchObject({ allowed: false, retryAfterNs: null })
    expect(decision.allowed ? [] : decision.violations.map(({ state }) => state.limit.name)).toEqual([
      'rpm',
      'tpm',
    ])
    expect(world.node.counts.bucket_writes).toBe(writes)
  })
})

describe('limits of one bucket', () => {
  it('are charged together when each has gone from full to refilling since it was seen', async () => {
    const world = createTestWorld()
    world.config.putEntity('key')
    world.config.putLimits(
      entityOwner('key'),
      '_default_',
      limitsOf({ rps: [9, 9], rpm: [9, 1], rph: [9, 0.1] }),
    )
    const [old, other] = [world.join(), world.join()]
    const ask = (node: TestNode) =>
      node.limiter.decide({ entityId: 'key', cost: { requests: 1 }, settles: false })
    expect((await ask(old)).allowed).toBe(true)
    world.clock.advance(100n * SECOND)
    expect((await ask(other)).allowed).toBe(true)
    expect((await ask(old)).allowed).toBe(true)
    expect(old.counts.bucket_writes).toBeLessThanOrEqual(3)
  })

  it('may be joined by another while the bucket lives', async () => {
    const world = worldOf(100, 1)
    expect(await admits(world.node, 60)).toBe(true)
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [1, 1 / 60], tpm: [100, 1] }))
    const fresh = world.join()
    const ask = () =>
      fresh.limiter.decide({ entityId: 'key', cost: { requests: 1, tokens: 10 }, settles: false })
    expect((await ask()).allowed).toBe(true)
    expect(await ask()).toMatchObject({ allowed: false, violations: [{ state: { limit: { name: 'rpm' } } }] })
    expect(
      (await world.join().limiter.status('key', '_default_')).limits.map((limit) => limit.available),
    ).toEqual([0, 30])
  })

  it('share one bucket for all names that no model has', async () => {
    const world = worldOf(10, 1 / 3600)
    world.config.putModel('gpt-4')
    for (let turn = 0; turn < 10; turn++)
      expect(await admits(world.node, 1, { resource: `model-${turn}` })).toBe(true)
    expect(await admits(world.node, 1, { resource: 'model-x' })).toBe(false)
    expect(await admits(world.node, 1, { resource: 'gpt-4' })).toBe(true)
  })

  it('on input and output tokens keep a default on tokens out', async () => {
    const world = createTestWorld({ defaultLimits: limitsOf({ tpm: [10_000, 100], rpm: [5, 1] }) })
    world.config.putEntity('key')
    world.config.putLimits(
      entityOwner('key'),
      '_default_',
      limitsOf({ itpm: [20_000, 300], otpm: [10_000, 100] }),
    )
    const cost = { requests: 1, input_tokens: 15_000, output_tokens: 1000 }
    expect((await world.node.limiter.decide({ entityId: 'key', cost, settles: false })).allowed).toBe(true)
    expect((await world.node.limiter.explain('key')).map(({ limit }) => limit.name).sort()).toEqual([
      'itpm',
      'otpm',
      'rpm',
    ])
  })
})

describe('debt', () => {
  it('outlives the time to live, and is paid by waiting', async () => {
    const world = worldOf(100, 1)
    const held = await reserve(world.node, 1)
    await held.reservation.settle({ tokens: 1_000_000 })
    const item = await world.buckets.read(entityBucket('key', '_default_'))
    const fullAtSeconds = Number(world.clock.now() / SECOND) + 1_000_000
    expect(Number(item?.ttl)).toBeGreaterThanOrEqual(fullAtSeconds + 2 * 86_400)
    expect(await available(world)).toBe(0)
    expect(await admits(world.node, 0)).toBe(false)
    world.clock.advance(999_901n * SECOND)
    expect(await admits(world.node, 1)).toBe(true)
    // a later charge of less must not shorten what the debt needs
    const after = await world.buckets.read(entityBucket('key', '_default_'))
    expect(Number(after?.ttl)).toBeGreaterThanOrEqual(Number(item?.ttl))
  })
})

describe('an answer that is lost', () => {
  const worldWithLoss = (isApplied: boolean) => {
    const world = worldOf(100, 1 / 3600)
    world.config.putEntity('child', { parentId: 'key' })
    world.config.putLimits(entityOwner('child'), '_default_', limitsOf({ tpm: [5, 1 / 3600] }))
    let isLosing = false
    const buckets: BucketStore = {
      ...world.buckets,
      async write(id, write) {
        const isParent = bucketKey(id) === bucketKey(entityBucket('key', '_default_'))
        if (!isLosing || !isParent) return world.buckets.write(id, write)
        if (isApplied) await world.buckets.write(id, write)
        throw new StoreUnavailable('lost', { mayHaveApplied: true })
      },
    }
    const node = createTestNode({ ...world, buckets })
    return { world, node, lose: (losing: boolean) => (isLosing = losing) }
  }

  it('of a charge counts as charged: nothing is given back for it', async () => {
    const { world, node, lose } = worldWithLoss(false)
    lose(true)
    const decision = await node.limiter.decide({ entityId: 'child', cost: { tokens: 3 }, settles: true })
    expect(decision).toMatchObject({ allowed: false, unavailable: true, degraded: true })
    lose(false)
    expect(await available(world)).toBe(100)
    expect((await world.join().limiter.status('child', '_default_')).limits[0]?.available).toBe(5)
  })

  it('is asked for once more, and never admits more than there is', async () => {
    const { world, node, lose } = worldWithLoss(true)
    expect(await admits(node, 1, { entityId: 'child' })).toBe(true)
    lose(true)
    await node.limiter.decide({ entityId: 'child', cost: { tokens: 3 }, settles: true })
    // both tries were applied; erring towards denying, neither comes back
    expect(await available(world)).toBe(93)
  })
})
