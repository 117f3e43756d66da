import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import type { BucketStore } from '../../../src/core/bucket/bucket-store.ts'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import type { OnUnavailable } from '../../../src/core/model/limit.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { createTestNode, createTestWorld, type TestNode } from '../test-limiter.ts'
import { admits, sometimesAway, worldOf } from '../token-world.ts'

const createAwayWorld = (onUnavailable: OnUnavailable) => {
  const world = createTestWorld()
  world.config.putEntity('key')
  world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [100, 100 / 60] }))
  let isAway = true
  let asked = 0
  const buckets: BucketStore = {
    ...world.buckets,
    async write(id, write) {
      asked++
      if (isAway) throw new StoreUnavailable('away', { mayHaveApplied: false })
      return world.buckets.write(id, write)
    },
  }
  const node = createTestNode({ ...world, buckets, settings: { onUnavailable } })
  return { world, node, asked: () => asked, comeBack: () => (isAway = false) }
}

const ask = (node: TestNode) =>
  node.limiter.decide({ entityId: 'key', cost: { requests: 1 }, settles: false })

describe('while the store is away', () => {
  test('denies as unavailable where a limit says deny', async () => {
    const { node } = createAwayWorld('deny')
    expect(await ask(node)).toMatchObject({
      allowed: false,
      unavailable: true,
      degraded: true,
      violations: [],
    })
  })

  test('allows, marked as degraded, where limits say allow', async () => {
    const { node } = createAwayWorld('allow')
    expect(await ask(node)).toMatchObject({ allowed: true, degraded: true })
    expect(node.counts.decisions_degraded).toBe(1)
  })

  test('carries the cause, also where the store is no longer asked, and lists no limit that it knows nothing of', async () => {
    const { node, asked } = createAwayWorld('allow')
    for (let turn = 0; turn < 10; turn++) {
      expect(await ask(node)).toMatchObject({ unavailableCause: 'away', limits: [] })
    }
    expect(asked()).toBeLessThan(10)
  })

  test('lists the limits of the buckets that did answer', async () => {
    const world = worldOf(100, 1)
    world.config.putEntity('child', { parentId: 'key' })
    world.config.putLimits(entityOwner('child'), '_default_', limitsOf({ tpm: [50, 1] }))
    const buckets = sometimesAway(world, (id) => id === 'child')
    const node = createTestNode({ ...world, buckets, settings: { onUnavailable: 'allow' } })
    const decision = await node.limiter.decide({ entityId: 'child', cost: { tokens: 5 }, settles: false })
    expect(decision).toMatchObject({ allowed: true, degraded: true, limits: [{ entityId: 'key', used: 5 }] })
  })

  test('grants a tenth of the limit by itself where limits say local', async () => {
    const { node } = createAwayWorld('local')
    const decisions = []
    for (let turn = 0; turn < 11; turn++) decisions.push(await ask(node))
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(10)
    expect(decisions.at(-1)).toMatchObject({ allowed: false, unavailable: false, degraded: true })
    expect(decisions.every(({ degraded }) => degraded)).toBe(true)
  })

  test('grants at least one by itself of a limit that is small', async () => {
    const { world, node } = createAwayWorld('local')
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [3, 3 / 60] }))
    expect((await ask(node)).allowed).toBe(true)
    expect((await ask(node)).allowed).toBe(false)
  })

  test('says when to try again what is more than its share, as the limit itself may have room', async () => {
    const { node } = createAwayWorld('local')
    const decision = await node.limiter.decide({ entityId: 'key', cost: { requests: 50 }, settles: false })
    expect(decision).toMatchObject({ allowed: false, unavailable: false, retryAfterNs: SECOND })
  })

  test('looks at the limits that a request touches, and at no others', async () => {
    const { world, node } = createAwayWorld('deny')
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
    expect((await ask(node)).allowed).toBe(true)
    const both = { requests: 1, tokens: 1 }
    expect(await node.limiter.decide({ entityId: 'key', cost: both, settles: false })).toMatchObject({
      allowed: false,
      unavailable: true,
    })
  })

  test('stops asking after failures in a row, tries once a second, and goes on when the store is back', async () => {
    const { world, node, asked, comeBack } = createAwayWorld('deny')
    for (let turn = 0; turn < 20; turn++) await ask(node)
    const before = asked()
    expect(before).toBeLessThanOrEqual(6)
    await ask(node)
    expect(asked()).toBe(before)
    world.clock.advance(SECOND)
    await ask(node)
    expect(asked()).toBe(before + 1)
    comeBack()
    world.clock.advance(SECOND)
    expect((await ask(node)).allowed).toBe(true)
    expect((await ask(node)).allowed).toBe(true)
  })
})

describe('a share that one process grants by itself', () => {
  const grant = async (node: TestNode, entityId: string): Promise<boolean> =>
    (await node.limiter.decide({ entityId, cost: { tokens: 5 }, settles: false })).allowed

  /** `poor` and `rich` below `key`; a tenth of the limit of `key` is 10, of that of `poor` 5. */
  const createFamily = (isAway: (entityId: string) => boolean) => {
    const world = worldOf(100, 1 / 3600)
    for (const [id, capacity] of [
      ['poor', 50],
      ['rich', 1000],
    ] as const) {
      world.config.putEntity(id, { parentId: 'key' })
      world.config.putLimits(entityOwner(id), '_default_', limitsOf({ tpm: [capacity, 1 / 3600] }))
    }
    const settings = { onUnavailable: 'local' } as const
    return { world, node: createTestNode({ ...world, buckets: sometimesAway(world, isAway), settings }) }
  }

  test('is not touched by a request that another of its limits denies in this process', async () => {
    const { node } = createFamily(() => true)
    expect(await grant(node, 'poor')).toBe(true)
    for (let turn = 0; turn < 5; turn++) expect(await grant(node, 'poor')).toBe(false)
    expect(await grant(node, 'rich')).toBe(true)
    expect(await grant(node, 'rich')).toBe(false)
  })

  test('is not touched by a request that the store denies', async () => {
    const { world, node } = createFamily((id) => id === 'key')
    expect(await admits(world.node, 50, { entityId: 'poor' })).toBe(true)
    for (let turn = 0; turn < 4; turn++) expect(await grant(node, 'poor')).toBe(false)
    for (let turn = 0; turn < 2; turn++) expect(await grant(node, 'rich')).toBe(true)
    expect(await grant(node, 'rich')).toBe(false)
  })
})
