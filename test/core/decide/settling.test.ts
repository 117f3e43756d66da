import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import { type BucketStore, entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { createTestNode } from '../test-limiter.ts'
import { admits, available, reserve, reserveCost, stored, worldOf } from '../token-world.ts'

const slow = () => worldOf(100, 1 / 3600)

describe('a settlement', () => {
  test('charges limits on meters that were not reserved', async () => {
    const world = slow()
    const held = await reserveCost(world.node, { requests: 1 })
    expect(await stored(world)).toEqual({})
    await held.reservation.settle({ requests: 1, tokens: 60 })
    expect(await available(world)).toBe(40)
    expect(await stored(world)).toMatchObject({ used_requests: 1n, used_tokens: 60n })
  })

  test('charges such limits even if the bucket already exists or has a new generation', async () => {
    const world = slow()
    expect(await admits(world.node, 10)).toBe(true)
    const [first, second] = [
      await reserveCost(world.node, { requests: 1 }),
      await reserveCost(world.node, { requests: 1 }),
    ]
    await first.reservation.settle({ tokens: 20 })
    expect(await available(world)).toBe(70)
    await world.join().limiter.reset('key', {})
    await second.reservation.settle({ tokens: 20 })
    expect(await available(world)).toBe(80)
    expect(await stored(world)).toMatchObject({ used_tokens: 20n })
  })

  test('costs no write if it is a release and nothing was charged', async () => {
    const world = slow()
    const held = await reserveCost(world.node, { requests: 1 })
    await held.reservation.release()
    expect(world.node.counts.bucket_writes).toBeUndefined()
  })

  test('counts omitted meters as reserved, including within the sum of tokens', async () => {
    const world = slow()
    const held = await reserveCost(world.node, { input_tokens: 10, output_tokens: 20 })
    await held.reservation.settle({ input_tokens: 8 })
    expect(await available(world)).toBe(72)
    expect(await stored(world)).toMatchObject({
      used_input_tokens: 8n,
      used_output_tokens: 20n,
      used_tokens: 28n,
    })
  })

  test.each([-50, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
    'keeps the reserved amount if the amount is invalid: %s',
    async (tokens) => {
      const world = slow()
      expect(await admits(world.node, 50)).toBe(true)
      const held = await reserve(world.node, 10)
      await held.reservation.settle({ tokens })
      await world.node.limiter.flush({ all: true })
      expect(await available(world)).toBe(40)
      expect(await stored(world)).toMatchObject({ used_tokens: 60n })
    },
  )

  test('refunds even if this node has cached another generation of the bucket, from a clock ahead', async () => {
    const world = slow()
    world.clock.step(SECOND)
    expect(await admits(world.node, 1)).toBe(true)
    world.clock.step(-SECOND)
    world.buckets.expire(entityBucket('key', '_default_'))
    expect(await admits(world.join(), 1)).toBe(true)
    const held = await reserve(world.node, 50)
    const writes = world.node.counts.bucket_writes ?? 0
    await held.reservation.settle({ tokens: 0 })
    expect(await available(world)).toBe(99)
    expect(world.node.counts.bucket_writes).toBe(writes + 1)
  })

  test('charges debt even if this node has since cached an expired generation', async () => {
    const world = slow()
    const held = await reserve(world.node, 1)
    const alive = await stored(world)
    const bucket = entityBucket('key', '_default_')
    let isLate = false
    const buckets: BucketStore = {
      ...world.buckets,
      read: async (id) => (isLate ? { ...alive, born: 1n } : world.buckets.read(id)),
    }
    const node = createTestNode({ ...world, buckets })
    const other = await reserve(node, 1)
    isLate = true
    await node.limiter.status('key', '_default_')
    isLate = false
    await other.reservation.settle({ tokens: 31 })
    await held.reservation.settle({ tokens: 31 })
    expect(await world.buckets.read(bucket)).toMatchObject({ used_tokens: 62n })
    expect(await available(world)).toBe(38)
  })

  test('refunds by the time since the charge, even if other writes conflict for a while', async () => {
    const world = worldOf(100, 1)
    let isOvertaken = false
    const buckets: BucketStore = {
      ...world.buckets,
      async write(id, write) {
        if (!isOvertaken) return world.buckets.write(id, write)
        isOvertaken = false
        world.clock.advance(20n * SECOND)
        await admits(world.join(), 40)
        return { applied: false, item: await world.buckets.read(id) }
      },
    }
    const held = await reserve(createTestNode({ ...world, buckets }), 50)
    isOvertaken = true
    await held.reservation.settle({ tokens: 0 })
    // 20 of the 50 have refilled by then: only the other 40 are used
    expect(await available(world)).toBe(60)
  })

  test('refunds by the time since the charge was sent, whatever the wall clock does', async () => {
    const world = worldOf(100, 1)
    const buckets: BucketStore = {
      ...world.buckets,
      async write(id, write) {
        const outcome = await world.buckets.write(id, write)
        world.clock.advance(20n * SECOND)
        world.clock.step(-20n * SECOND)
        return outcome
      },
    }
    const node = createTestNode({ ...world, buckets })
    const held = await reserve(node, 50)
    await held.reservation.settle({ tokens: 0 })
    // by the wall clock no time has passed, and 30 of the 50 are refunded
    expect(await available(world)).toBe(80)
  })

  test('refunds a parent as well, each by its own limits', async () => {
    const world = slow()
    world.config.putEntity('child', { parentId: 'key' })
    world.config.putLimits(entityOwner('child'), '_default_', limitsOf({ rpm: [10, 1 / 3600] }))
    const decision = await world.node.limiter.decide({
      entityId: 'child',
      cost: { requests: 1, tokens: 50 },
      settles: true,
    })
    if (decision.allowed) await decision.reservation.settle({ requests: 1, tokens: 5 })
    expect(await available(world)).toBe(95)
    expect((await world.join().limiter.status('child', '_default_')).limits[0]?.available).toBe(9)
  })

  test('refunds in full, regardless of refills, if the limit is configured so', async () => {
    const world = worldOf(100, 1)
    const limits = [{ name: 'tpm', capacity: 100, refill_rate: 1, refund: 'full' }]
    world.config.putLimits(entityOwner('key'), '_default_', parseLimits(limits, 'limits'))
    const held = await reserve(world.node, 50)
    expect(await admits(world.node, 50)).toBe(true)
    world.clock.advance(30n * SECOND)
    await held.reservation.settle({ tokens: 0 })
    expect(await available(world)).toBe(80)
  })
})
