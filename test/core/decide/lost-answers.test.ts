import { describe, expect, test } from 'vitest'
import { type BucketStore, bucketKey, entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { createTestNode } from '../test-limiter.ts'
import { admits, available, worldOf } from '../token-world.ts'

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
