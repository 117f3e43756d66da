import { describe, expect, it } from 'vitest'
import type { BucketStore } from '../../../src/core/bucket/bucket-store.ts'
import { StoreUnavailable } from '../../../src/core/errors.ts'
import type { OnUnavailable } from '../../../src/core/limit/limit.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { createTestNode, createTestWorld, type TestNode } from '../test-limiter.ts'

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
  it('denies as unavailable where a limit says deny', async () => {
    const { node } = createAwayWorld('deny')
    expect(await ask(node)).toMatchObject({
      allowed: false,
      unavailable: true,
      degraded: true,
      violations: [],
    })
  })

  it('allows, marked as degraded, where limits say allow', async () => {
    const { node } = createAwayWorld('allow')
    expect(await ask(node)).toMatchObject({ allowed: true, degraded: true })
    expect(node.counts.decisions_degraded).toBe(1)
  })

  it('grants a tenth of the limit by itself where limits say local', async () => {
    const { node } = createAwayWorld('local')
    const decisions = []
    for (let turn = 0; turn < 11; turn++) decisions.push(await ask(node))
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(10)
    expect(decisions.at(-1)).toMatchObject({ allowed: false, unavailable: false, degraded: true })
    expect(decisions.every(({ degraded }) => degraded)).toBe(true)
  })

  it('stops asking after failures in a row, tries once a second, and goes on when the store is back', async () => {
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
