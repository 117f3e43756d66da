import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import { type BucketStore, bucketKey, entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import type { OnUnavailable } from '../../../src/core/model/limit.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { createTestNode, createTestWorld, type TestNode } from '../test-limiter.ts'
import { admits, available, sometimesUnavailable, worldOf } from '../token-world.ts'

const createUnavailableWorld = (onUnavailable: OnUnavailable) => {
  const world = createTestWorld()
  world.config.putEntity('key')
  world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [100, 100 / 60] }))
  let isUnavailable = true
  let sent = 0
  const buckets: BucketStore = {
    ...world.buckets,
    async write(id, write) {
      sent++
      if (isUnavailable) throw new StoreUnavailable('away', { mayHaveApplied: false })
      return world.buckets.write(id, write)
    },
  }
  const node = createTestNode({ ...world, buckets, settings: { onUnavailable } })
  return { world, node, attempts: () => sent, recover: () => (isUnavailable = false) }
}

const decide = (node: TestNode) =>
  node.limiter.decide({ entityId: 'key', cost: { requests: 1 }, settles: false })

describe('while the store is unavailable', () => {
  test('a limit with on_unavailable deny denies as unavailable', async () => {
    const { node } = createUnavailableWorld('deny')
    expect(await decide(node)).toMatchObject({
      allowed: false,
      unavailable: true,
      degraded: true,
      violations: [],
    })
  })

  test('limits with on_unavailable allow admit, marked as degraded', async () => {
    const { node } = createUnavailableWorld('allow')
    expect(await decide(node)).toMatchObject({ allowed: true, degraded: true })
    expect(node.counts.decisions_degraded).toBe(1)
  })

  test('a decision carries the cause, even while the circuit is open, and lists no unknown limit', async () => {
    const { node, attempts } = createUnavailableWorld('allow')
    for (let turn = 0; turn < 10; turn++) {
      expect(await decide(node)).toMatchObject({ unavailableCause: 'away', limits: [] })
    }
    expect(attempts()).toBeLessThan(10)
  })

  test('a decision lists the limits of the buckets that responded', async () => {
    const world = worldOf(100, 1)
    world.config.putEntity('child', { parentId: 'key' })
    world.config.putLimits(entityOwner('child'), '_default_', limitsOf({ tpm: [50, 1] }))
    const buckets = sometimesUnavailable(world, (id) => id === 'child')
    const node = createTestNode({ ...world, buckets, settings: { onUnavailable: 'allow' } })
    const decision = await node.limiter.decide({ entityId: 'child', cost: { tokens: 5 }, settles: false })
    expect(decision).toMatchObject({ allowed: true, degraded: true, limits: [{ entityId: 'key', used: 5 }] })
  })

  test('limits with on_unavailable local grant a tenth of the limit in the process', async () => {
    const { node } = createUnavailableWorld('local')
    const decisions = []
    for (let turn = 0; turn < 11; turn++) decisions.push(await decide(node))
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(10)
    expect(decisions.at(-1)).toMatchObject({ allowed: false, unavailable: false, degraded: true })
    expect(decisions.every(({ degraded }) => degraded)).toBe(true)
  })

  test('a small limit grants at least one in the process', async () => {
    const { world, node } = createUnavailableWorld('local')
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [3, 3 / 60] }))
    expect((await decide(node)).allowed).toBe(true)
    expect((await decide(node)).allowed).toBe(false)
  })

  test('a denial beyond the local share has a retry time, because the limit itself may have room', async () => {
    const { node } = createUnavailableWorld('local')
    const decision = await node.limiter.decide({ entityId: 'key', cost: { requests: 50 }, settles: false })
    expect(decision).toMatchObject({ allowed: false, unavailable: false, retryAfterNs: SECOND })
  })

  test('only the limits of the request are evaluated', async () => {
    const { world, node } = createUnavailableWorld('deny')
    world.config.putLimits(
      entityOwner('key'),
      '_default_',
      parseLimits(
        [
          { name: 'rpm', capacity: 100, refill_rate: 1, on_unavailable: 'allow' },
          { name: 'tpm', capacity: 100, refill_rate: 1, on_unavailable: 'deny' },
        ],
        'limits',
      ),
    )
    expect((await decide(node)).allowed).toBe(true)
    const both = { requests: 1, tokens: 1 }
    expect(await node.limiter.decide({ entityId: 'key', cost: both, settles: false })).toMatchObject({
      allowed: false,
      unavailable: true,
    })
  })

  test('the circuit opens after consecutive failures, tries once per second, and closes on recovery', async () => {
    const { world, node, attempts, recover } = createUnavailableWorld('deny')
    for (let turn = 0; turn < 20; turn++) await decide(node)
    const before = attempts()
    expect(before).toBeLessThanOrEqual(6)
    await decide(node)
    expect(attempts()).toBe(before)
    world.clock.advance(SECOND)
    await decide(node)
    expect(attempts()).toBe(before + 1)
    recover()
    world.clock.advance(SECOND)
    expect((await decide(node)).allowed).toBe(true)
    expect((await decide(node)).allowed).toBe(true)
  })
})

describe('the share that a process grants locally', () => {
  const grant = async (node: TestNode, entityId: string): Promise<boolean> =>
    (await node.limiter.decide({ entityId, cost: { tokens: 5 }, settles: false })).allowed

  /** `poor` and `rich` below `key`; a tenth of the limit of `key` is 10, of that of `poor` 5. */
  const createFamily = (isUnavailable: (entityId: string) => boolean) => {
    const world = worldOf(100, 1 / 3600)
    for (const [id, capacity] of [
      ['poor', 50],
      ['rich', 1000],
    ] as const) {
      world.config.putEntity(id, { parentId: 'key' })
      world.config.putLimits(entityOwner(id), '_default_', limitsOf({ tpm: [capacity, 1 / 3600] }))
    }
    const settings = { onUnavailable: 'local' } as const
    return {
      world,
      node: createTestNode({ ...world, buckets: sometimesUnavailable(world, isUnavailable), settings }),
    }
  }

  test('is not charged by a request that another of its limits denies in this process', async () => {
    const { node } = createFamily(() => true)
    expect(await grant(node, 'poor')).toBe(true)
    for (let turn = 0; turn < 5; turn++) expect(await grant(node, 'poor')).toBe(false)
    expect(await grant(node, 'rich')).toBe(true)
    expect(await grant(node, 'rich')).toBe(false)
  })

  test('is not charged by a request that the store denies', async () => {
    const { world, node } = createFamily((id) => id === 'key')
    expect(await admits(world.node, 50, { entityId: 'poor' })).toBe(true)
    for (let turn = 0; turn < 4; turn++) expect(await grant(node, 'poor')).toBe(false)
    for (let turn = 0; turn < 2; turn++) expect(await grant(node, 'rich')).toBe(true)
    expect(await grant(node, 'rich')).toBe(false)
  })
})

/** Regression cases on the real limiter: responses that never arrive. Times in seconds. */

describe('a lost response', () => {
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

  test('of a charge counts as charged: nothing is refunded for it', async () => {
    const { world, node, lose } = worldWithLoss(false)
    lose(true)
    const decision = await node.limiter.decide({ entityId: 'child', cost: { tokens: 3 }, settles: true })
    expect(decision).toMatchObject({ allowed: false, unavailable: true, degraded: true })
    lose(false)
    expect(await available(world)).toBe(100)
    expect((await world.join().limiter.status('child', '_default_')).limits[0]?.available).toBe(5)
  })

  test('leads to one retry, and never admits more than there is', async () => {
    const { world, node, lose } = worldWithLoss(true)
    expect(await admits(node, 1, { entityId: 'child' })).toBe(true)
    lose(true)
    await node.limiter.decide({ entityId: 'child', cost: { tokens: 3 }, settles: true })
    // both attempts were applied; to err towards denying, neither is refunded
    expect(await available(world)).toBe(93)
  })

  test('leads to no retry after half of the deadline', async () => {
    const world = worldOf(100, 1 / 3600)
    let sent = 0
    world.buckets.write = async () => {
      sent++
      world.clock.advance(SECOND / 8n)
      throw new StoreUnavailable('lost', { mayHaveApplied: true })
    }
    expect(await admits(world.node, 1)).toBe(false)
    expect(sent).toBe(1)
  })
})
