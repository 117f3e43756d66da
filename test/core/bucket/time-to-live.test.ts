import { describe, expect, test } from 'vitest'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import type { TestWorld } from '../test-limiter.ts'
import { admits, reserve, reserveCost, stored, worldOf } from '../token-world.ts'

const HOUR = 3600n * SECOND

/** ns by which the bucket outlives the moment at which all its limits are full again. */
const spareNs = async (world: TestWorld): Promise<bigint> => {
  const item = await stored(world)
  const tats = Object.entries(item).flatMap(([name, value]) =>
    name.endsWith('_tat') && typeof value === 'bigint' ? [value] : [],
  )
  const fullAt = tats.reduce((latest, tat) => (tat > latest ? tat : latest), world.clock.now())
  return (typeof item.ttl === 'bigint' ? item.ttl * SECOND : 0n) - fullAt
}

describe('the time to live', () => {
  test('is at least two days more than needed, whatever generation a node has cached', async () => {
    const world = worldOf(100, 1 / 3600)
    const held = await reserve(world.node, 1)
    await held.reservation.settle({ tokens: 1_000_000 })
    await world.node.limiter.topUp('key', {})
    world.clock.advance(1n)
    world.buckets.expire(entityBucket('key', '_default_'))
    expect(await admits(world.join(), 1)).toBe(true)
    world.clock.advance(36n * HOUR)
    expect(await admits(world.node, 100)).toBe(true)
    expect((await spareNs(world)) >= 48n * HOUR).toBe(true)
  })

  test('is not shortened by a node that has not cached the debt of another limit', async () => {
    const world = worldOf(100, 1 / 3600)
    world.config.putLimits(
      entityOwner('key'),
      '_default_',
      limitsOf({ tpm: [100, 1 / 3600], rpm: [100, 1 / 3600] }),
    )
    const [old, other] = [world.join(), world.join()]
    expect((await reserveCost(old, { requests: 1, tokens: 1 })).allowed).toBe(true)
    const held = await reserve(other, 1)
    await held.reservation.settle({ tokens: 1_000_000 })
    world.clock.advance(36n * HOUR)
    expect((await reserveCost(old, { requests: 1 })).allowed).toBe(true)
    expect((await spareNs(world)) >= 48n * HOUR).toBe(true)
  })

  test('covers two debts in a row', async () => {
    const world = worldOf(100, 1)
    const [first, second] = [await reserve(world.node, 1), await reserve(world.node, 1)]
    await first.reservation.settle({ tokens: 1_000_000 })
    await second.reservation.settle({ tokens: 1_000_000 })
    expect((await stored(world)).tpm_tat).toBe(world.clock.now() + 2_000_000n * SECOND)
    expect((await spareNs(world)) >= 48n * HOUR).toBe(true)
  })

  test('is at least two days if there are only counters', async () => {
    const world = worldOf(100, 1)
    const held = await reserveCost(world.node, { requests: 1 })
    await held.reservation.settle({ requests: 1 })
    await world.node.limiter.flush({ all: true })
    expect(await stored(world)).toMatchObject({ used_requests: 1n })
    expect((await spareNs(world)) >= 48n * HOUR).toBe(true)
  })
})
