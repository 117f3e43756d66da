import { describe, expect, it } from 'vitest'
import { entityBucket } from '../../../src/core/bucket/bucket-id.ts'
import { SECOND } from '../test-clock.ts'
import { admits, available, reserve, worldOf } from './token-world.ts'

/** Cases that broke earlier drafts of the design, on the real limiter: what comes back, and what is owed. Times in seconds. */

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
