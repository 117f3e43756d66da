import { describe, expect, test } from 'vitest'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import { SECOND } from '../test-clock.ts'
import { admits, available, reserve, stored, worldOf } from '../token-world.ts'

/** Regression cases on the real limiter: refunds and debts. Times in seconds. */

describe('overlapping reservations', () => {
  for (const isShared of [true, false]) {
    test(`count what was used after another refund (${isShared ? 'one node' : 'several nodes'})`, async () => {
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

  test('are refunded what is left of their backlog, if another refund was cached before', async () => {
    const world = worldOf(200, 1)
    const first = await reserve(world.node, 100)
    const second = await reserve(world.node, 100)
    world.clock.advance(50n * SECOND)
    await first.reservation.settle({ tokens: 50 })
    world.clock.advance(10n * SECOND)
    const writes = world.node.counts.bucket_writes ?? 0
    await second.reservation.settle({ tokens: 0 })
    expect(await available(world)).toBe(200)
    expect(world.node.counts.bucket_writes).toBe(writes + 1)
  })

  test('are refunded what is certain in any state, if other refunds conflict each time', async () => {
    const world = worldOf(100, 1 / 3600)
    expect(await admits(world.node, 40)).toBe(true)
    const held = await reserve(world.node, 50)
    const { write } = world.buckets
    let isAmongOthers = true
    world.buckets.write = async (id, wanted) => {
      if (isAmongOthers) {
        isAmongOthers = false
        await world.join().limiter.topUp('key', { amount: 1 })
        isAmongOthers = true
      }
      return write(id, wanted)
    }
    world.clock.advance(40n * 3600n * SECOND)
    await held.reservation.settle({ tokens: 0 })
    isAmongOthers = false
    // 10 of the 50 had not refilled; of 50 in use, 4 were topped up and 10 refunded
    expect(await available(world)).toBe(64)
    expect(world.node.counts.refunds_lost).toBe(1)
  })

  test('use the elapsed time of the clock that measured more of it', async () => {
    const world = worldOf(100, 1)
    const held = await reserve(world.node, 50)
    world.clock.step(20n * SECOND)
    await held.reservation.settle({ tokens: 0 })
    expect(await available(world)).toBe(100)
    expect((await stored(world)).tpm_refunded).toBe(30n * SECOND)
  })
})

describe('a bucket that was deleted and created again', () => {
  test('is not charged from an outdated cached state', async () => {
    const world = worldOf(100, 1 / 3600)
    const [old, other] = [world.join(), world.join()]
    expect(await admits(old, 1)).toBe(true)
    world.buckets.expire(entityBucket('key', '_default_'))
    expect(await admits(other, 100)).toBe(true)
    expect(await admits(old, 99)).toBe(false)
  })

  test('refunds nothing for reservations of its earlier generation', async () => {
    const world = worldOf(100, 1 / 3600)
    const [before, other] = [world.join(), world.join()]
    const held = await reserve(before, 98)
    await other.limiter.reset('key', {})
    expect(await admits(other, 98)).toBe(true)
    await held.reservation.settle({ tokens: 7 })
    expect(await available(world)).toBe(2)
    // use is counted in the current generation of the bucket
    expect(await stored(world)).toMatchObject({ used_tokens: 105n })
  })
})

describe('debt', () => {
  test('outlasts the time to live, and is paid by waiting', async () => {
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
    // a later, smaller charge must not shorten the time to live below the debt
    const after = await world.buckets.read(entityBucket('key', '_default_'))
    expect(Number(after?.ttl)).toBeGreaterThanOrEqual(Number(item?.ttl))
  })
})
