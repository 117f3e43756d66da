import { describe, expect, test } from 'vitest'
import { type BucketStore, entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import { NO_CHARGES } from '../../../src/core/charge/reservation-store.ts'
import type { Cost } from '../../../src/core/model/meter.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { createTestNode, createTestWorld, type TestWorld } from '../test-limiter.ts'
import { admits, available, reserve, sometimesUnavailable, stored } from '../token-world.ts'

/** A key with 1000 tokens, which hardly refill, and a node whose refunds share writes. */
const shared = (): TestWorld => {
  const world = createTestWorld({ sharesRefunds: true })
  world.config.putEntity('key')
  world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ tpm: [1000, 1 / 3600] }))
  return world
}

const reserved = async (world: TestWorld, count: number) => {
  const all = []
  for (let at = 0; at < count; at++) all.push((await reserve(world.node, 50)).reservation)
  return all
}

const writes = ({ node }: TestWorld): number => node.counts.bucket_writes ?? 0

describe('refunds of one bucket', () => {
  test('after the first, which is written at once, share one write, with the usage', async () => {
    const world = shared()
    const held = await reserved(world, 10)
    const before = writes(world)
    for (const [at, reservation] of held.entries()) await reservation.settle({ tokens: at })
    expect([writes(world) - before, await available(world)]).toEqual([1, 550])
    await world.node.limiter.flush()
    expect([writes(world) - before, await available(world)]).toEqual([2, 955])
    expect(await stored(world)).toMatchObject({ used_tokens: 45n })
    await world.node.limiter.flush()
    expect(writes(world) - before).toBe(2)
  })

  test('are written at once if none of the bucket ended since the last flush', async () => {
    const world = shared()
    const held = await reserved(world, 3)
    for (const reservation of held) {
      await reservation.settle({ tokens: 10 })
      await world.node.limiter.flush()
      await world.node.limiter.flush()
    }
    expect(await available(world)).toBe(970)
    const [last] = await reserved(world, 1)
    await last?.settle({ tokens: 10 })
    expect(await available(world)).toBe(960)
  })

  test('are written before the process reads the bucket', async () => {
    const world = shared()
    const { limiter } = world.node
    for (const reservation of await reserved(world, 4)) await reservation.settle({ tokens: 10 })
    expect((await limiter.status('key', '_default_')).limits[0]?.available).toBe(960)
    for (const reservation of await reserved(world, 4)) await reservation.settle({ tokens: 10 })
    expect((await limiter.status('key')).limits[0]?.available).toBe(920)
    for (const reservation of await reserved(world, 4)) await reservation.settle({ tokens: 10 })
    const look = await limiter.decide({ entityId: 'key', cost: { tokens: 1 }, settles: false, dryRun: true })
    expect(look.allowed && look.limits[0]?.available).toBe(880)
  })

  test('include releases', async () => {
    const world = shared()
    const [first, second] = await reserved(world, 2)
    await first?.release()
    await second?.settle({ tokens: 20 })
    await world.node.limiter.flush()
    expect(await available(world)).toBe(980)
  })

  test('are written before a request is denied because of them', async () => {
    const world = shared()
    const held = await reserved(world, 20)
    for (const reservation of held) await reservation.settle({ tokens: 10 })
    expect(await admits(world.node, 700)).toBe(true)
    expect(await available(world)).toBe(100)
  })

  test('are written alone if other nodes write first each time', async () => {
    const world = shared()
    const other = world.join()
    let disturbances = 0
    const buckets: BucketStore = {
      ...world.buckets,
      async write(id, write) {
        if (disturbances-- > 0) await admits(other, 1)
        return world.buckets.write(id, write)
      },
    }
    const node = createTestNode({ ...world, buckets, settings: { sharesRefunds: true } })
    const held = [await reserve(node, 50), await reserve(node, 50), await reserve(node, 50)]
    for (const { reservation } of held) await reservation.settle({ tokens: 10 })
    disturbances = 3
    await node.limiter.flush()
    expect(await available(world)).toBe(1000 - 30 - 3)
    expect(await stored(world)).toMatchObject({ used_tokens: 33n })
  })

  test('of an ended generation refund nothing, and count their usage', async () => {
    const world = shared()
    const held = await reserved(world, 2)
    await world.node.limiter.reset('key', {})
    for (const reservation of held) await reservation.settle({ tokens: 10 })
    await world.node.limiter.flush()
    expect(await available(world)).toBe(1000)
    expect(await stored(world)).toMatchObject({ used_tokens: 20n })
  })

  test('return no tokens that have refilled in the meantime', async () => {
    const world = shared()
    const [first, second] = await reserved(world, 2)
    await first?.settle({ tokens: 0 })
    await second?.settle({ tokens: 0 })
    world.clock.advance(3600n * SECOND * 2000n)
    await world.node.limiter.flush()
    expect(await available(world)).toBe(1000)
  })
})

describe('settlements of callers', () => {
  const callers = async () => {
    const world = shared()
    world.config.putEntity('key', { parentId: 'project' })
    world.config.putEntity('project')
    world.config.putLimits(entityOwner('project'), '_default_', limitsOf({ tpm: [5000, 1 / 3600] }))
    const charges = (await reserved(world, 4)).map((reservation) => reservation.charges)
    const settle = (at: number, actual: Cost) => {
      const { reserved: amount, parts } = charges[at] ?? NO_CHARGES
      return world.node.limiter.settleCharges({ reserved: amount, parts }, actual, { callerId: 'key' })
    }
    const used = async (entityId: string) => (await stored(world, entityId)).used_tokens
    return { world, settle, used, before: writes(world) }
  }

  test('below the reservation share a write of each bucket after the first', async () => {
    const { world, settle, used, before } = await callers()
    for (const at of [0, 1, 2, 3]) await settle(at, { tokens: 10 * at })
    expect(writes(world) - before).toBe(2)
    await world.node.limiter.flush()
    expect(writes(world) - before).toBe(4)
    expect([await available(world), await used('key'), await used('project')]).toEqual([940, 60n, 60n])
  })

  test('beyond the reservation are written at once, and the waiting refunds do not count as available', async () => {
    const { world, settle, used } = await callers()
    for (const at of [0, 1, 2]) await settle(at, { tokens: 0 })
    await settle(3, { tokens: 2000 })
    // 1000 − 3 × 50 are available to the key: only the first refund is written
    expect(await used('project')).toBe(50n + 850n)
    await world.node.limiter.flush()
    expect(await used('key')).toBe(2000n)
  })
})

test('additional use does not wait', async () => {
  const world = shared()
  const [first] = await reserved(world, 1)
  await first?.settle({ tokens: 80 })
  expect(await available(world)).toBe(920)
})

test('refunds that cannot be written are lost, and their usage is not', async () => {
  const world = shared()
  let isUnavailable = false
  const buckets = sometimesUnavailable(world, () => isUnavailable)
  const node = createTestNode({ ...world, buckets, settings: { sharesRefunds: true } })
  const held = [await reserve(node, 50), await reserve(node, 50)]
  for (const { reservation } of held) await reservation.settle({ tokens: 10 })
  isUnavailable = true
  await node.limiter.flush().catch(() => undefined)
  isUnavailable = false
  world.clock.advance(60n * SECOND)
  await node.limiter.flush({ all: true })
  expect(node.counts.refunds_lost).toBe(1)
  expect(await available(world)).toBe(940)
  expect(await world.buckets.read(entityBucket('key', '_default_'))).toMatchObject({ used_tokens: 20n })
})
