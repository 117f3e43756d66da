import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import { createTestClock, SECOND, START } from '../test-clock.ts'
import { entityOwner } from '../test-config.ts'
import { createTestNode, createTestWorld, nodeOff, type TestNode, type TestWorld } from '../test-limiter.ts'
import { admits, available, reserve, stored } from '../token-world.ts'

/** Regression cases on the real limiter: windows. Times in seconds. */

const putLimit = (world: TestWorld, size: object): void =>
  world.config.putLimits(entityOwner('key'), '_default_', parseLimits([{ name: 'tpm', ...size }], 'limits'))

const sliding = (limit: number, window_seconds: number, slots = 30) => ({
  algorithm: 'sliding_window',
  limit,
  window_seconds,
  slots,
})

const fixed = (limit: number, window: string, time_zone = 'UTC') => ({
  algorithm: 'fixed_window',
  limit,
  window,
  time_zone,
})

const worldWith = (size: object): TestWorld => {
  const world = createTestWorld({ configCacheMs: 1 })
  world.config.putEntity('key')
  putLimit(world, size)
  return world
}

const advance = ({ clock }: TestWorld, seconds: number): void =>
  clock.advance(BigInt(Math.round(seconds * 1e9)))

const admittedOf = async (node: TestNode, count: number): Promise<number> => {
  let admitted = 0
  for (let decide = 0; decide < count; decide++) if (await admits(node, 1)) admitted++
  return admitted
}

describe('a sliding window', () => {
  test('is not read from a base that a refund has lowered since it was cached', async () => {
    const world = worldWith(sliding(100, 60))
    const [a, b] = [world.join(), world.join()]
    advance(world, 0.5)
    const held = await reserve(a, 50)
    advance(world, 2)
    expect(await admits(b, 1)).toBe(true)
    advance(world, 0.5)
    await held.reservation.settle({ tokens: 0 })
    advance(world, 47)
    expect(await admits(a, 99)).toBe(true)
    advance(world, 12.1)
    expect(await admits(b, 50)).toBe(false)
    expect(await admits(b, 1)).toBe(false)
    advance(world, 1.9)
    expect(await admits(b, 2)).toBe(false)
    expect(await admits(b, 1)).toBe(true)
  })

  test('settles two reservations of one window in turn, and ends at what was used', async () => {
    const world = worldWith(sliding(100, 60))
    const first = await reserve(world.node, 40)
    advance(world, 3)
    const second = await reserve(world.node, 50)
    advance(world, 3)
    expect(await admits(world.node, 1)).toBe(true)
    await second.reservation.settle({ tokens: 0 })
    await first.reservation.settle({ tokens: 1 })
    expect(await available(world)).toBe(98)
    const { tpm_n: n, tpm_marks: marks } = await stored(world)
    expect(n).toBe(2n)
    expect(Object.values(marks ?? {})).toEqual([0n, 1n, 1n])
  })

  test('includes marks written by a node whose clock is ahead', async () => {
    const world = worldWith(sliding(100, 60, 60))
    const ahead = nodeOff(world, 2.5)
    expect(await admits(ahead, 100)).toBe(true)
    expect(await admits(world.join(), 1)).toBe(false)
    expect(await admits(world.node, 1)).toBe(false)
  })

  test('holds after a burst for a node that is a second ahead', async () => {
    const world = worldWith(sliding(500, 3600))
    advance(world, 119.5)
    expect(await admits(world.node, 500)).toBe(true)
    expect(await admits(nodeOff(world, 1), 1)).toBe(false)
    advance(world, 3480)
    expect(await admits(nodeOff(world, 1), 1)).toBe(false)
  })

  test('neither admits twice nor stays closed after one request from a clock an hour ahead', async () => {
    const world = worldWith(sliding(100, 60))
    expect(await admits(nodeOff(world, 3600), 1)).toBe(true)
    expect(await admittedOf(world.node, 120)).toBeLessThanOrEqual(100)
    advance(world, 63)
    expect(await admittedOf(world.node, 120)).toBe(100)
  })

  test('never reads slots of another length as its own', async () => {
    const world = worldWith(sliding(100, 60))
    expect(await admits(world.node, 95)).toBe(true)
    putLimit(world, sliding(100, 3600))
    expect(await available(world)).toBe(5)
    expect(await admittedOf(world.join(), 20)).toBe(5)
    advance(world, 3720)
    expect(await admittedOf(world.node, 120)).toBe(100)
    // a slot that has not ended may have been used just now
    putLimit(world, sliding(10, 2))
    advance(world, 3)
    expect(await admittedOf(world.join(), 20)).toBe(0)
    advance(world, 3)
    expect(await admittedOf(world.join(), 20)).toBe(10)
  })

  test('keeps of a longer window what still lies in the shorter one', async () => {
    const world = worldWith(sliding(100, 3600, 60))
    expect(await admits(world.node, 30)).toBe(true)
    advance(world, 1800)
    expect(await admits(world.node, 20)).toBe(true)
    putLimit(world, sliding(100, 600, 30))
    expect(await available(world)).toBe(80)
    advance(world, 600 + 59)
    expect(await available(world)).toBe(80)
    advance(world, 1)
    expect(await available(world)).toBe(100)
  })

  test('is first written to an item without such a limit', async () => {
    const world = worldWith({ capacity: 10, refill_rate: 1 })
    expect(await admits(world.node, 1)).toBe(true)
    world.config.putLimits(
      entityOwner('key'),
      '_default_',
      parseLimits(
        [
          { name: 'tpm', capacity: 10, refill_rate: 1 },
          { name: 'tph', ...sliding(5, 3600) },
        ],
        'limits',
      ),
    )
    const fresh = world.join()
    expect(await admits(fresh, 5)).toBe(true)
    expect(await admits(fresh, 1)).toBe(false)
    expect(await admits(world.join(), 1)).toBe(false)
  })

  test('keeps no more marks than its slots and the clock tolerance', async () => {
    const world = worldWith(sliding(1_000_000, 60, 60))
    for (let second = 0; second < 300; second++) {
      expect(await admits(world.node, 1)).toBe(true)
      advance(world, 1)
    }
    const { tpm_marks: marks } = await stored(world)
    expect(Object.keys(marks ?? {}).length).toBeLessThanOrEqual(60 + 13)
    expect(await available(world)).toBe(1_000_000 - 60)
  })

  test('makes a charge based on another generation of the bucket fail', async () => {
    const world = worldWith(sliding(100, 3600))
    const [old, other] = [world.join(), world.join()]
    expect(await admits(old, 1)).toBe(true)
    advance(world, 1)
    world.buckets.expire(entityBucket('key', '_default_'))
    expect(await admits(other, 100)).toBe(true)
    expect(await admits(old, 99)).toBe(false)
  })

  test('refunds nothing once the charged slot is out of the window', async () => {
    const world = worldWith(sliding(100, 60))
    const held = await reserve(world.node, 60)
    advance(world, 61)
    expect(await admits(world.node, 40)).toBe(true)
    advance(world, 1.5)
    await held.reservation.settle({ tokens: 0 })
    expect(await available(world)).toBe(60)
  })

  test('counts a top-up as already refunded', async () => {
    const world = worldWith(sliding(100, 3600))
    const held = await reserve(world.node, 50)
    await world.node.limiter.topUp('key', { amount: 50 })
    expect(await available(world)).toBe(100)
    await held.reservation.settle({ tokens: 0 })
    expect(await admits(world.node, 100)).toBe(true)
    expect(await admits(world.node, 1)).toBe(false)
  })
})

describe('a fixed window', () => {
  test('is entered once, also by a node that is 50 ms behind at the boundary', async () => {
    const world = worldWith(fixed(10, 'minute'))
    const behind = nodeOff(world, -0.05)
    expect(await admits(behind, 4)).toBe(true)
    advance(world, 60.02)
    expect(await admits(world.node, 4)).toBe(true)
    expect(await admits(behind, 6)).toBe(true)
    expect(await admits(behind, 1)).toBe(false)
    expect(await admits(world.node, 1)).toBe(false)
  })

  test('restarts at its boundary, in its time zone, through a change of clocks', async () => {
    const clock = createTestClock(BigInt(Date.UTC(2026, 9, 24, 21, 59, 59)) * 1_000_000n)
    const world = { ...worldWith(fixed(5, 'day', 'Europe/Berlin')), clock }
    const node = createTestNode({ buckets: world.buckets, config: world.config, clock })
    expect(await admittedOf(node, 9)).toBe(5)
    clock.advance(2n * SECOND)
    expect(await admittedOf(node, 9)).toBe(5)
    // the day on which clocks are put back has 25 hours
    clock.advance(24n * 3600n * SECOND)
    expect(await admittedOf(node, 9)).toBe(0)
    clock.advance(3600n * SECOND)
    expect(await admittedOf(node, 9)).toBe(5)
  })

  test('keeps a day within its month, and restarts on a change from month to day', async () => {
    const world = worldWith(fixed(100, 'day'))
    advance(world, 5 * 86_400)
    expect(await admits(world.node, 30)).toBe(true)
    putLimit(world, fixed(1000, 'month'))
    expect(await available(world)).toBe(970)
    expect(await admits(world.join(), 1)).toBe(true)
    putLimit(world, fixed(100, 'day'))
    expect(await available(world)).toBe(100)
    advance(world, 86_400)
    expect(await admittedOf(world.join(), 120)).toBe(100)
  })

  test('changes to another time zone and another algorithm without a month of denials', async () => {
    const world = worldWith(fixed(10, 'month', 'Asia/Kathmandu'))
    expect(await admits(world.node, 10)).toBe(true)
    putLimit(world, fixed(10, 'day', 'America/New_York'))
    advance(world, 86_400)
    expect(await admits(world.join(), 10)).toBe(true)
    putLimit(world, sliding(10, 60))
    expect(await admits(world.join(), 1)).toBe(false)
    advance(world, 63)
    expect(await admits(world.join(), 10)).toBe(true)
  })

  test('refunds only in the window that was charged', async () => {
    const world = worldWith(fixed(10, 'minute'))
    const held = await reserve(world.node, 8)
    advance(world, 60)
    expect(await admits(world.node, 3)).toBe(true)
    await held.reservation.settle({ tokens: 0 })
    expect(await available(world)).toBe(7)
  })

  test('is never below zero after a top-up and a refund of the same tokens', async () => {
    const world = worldWith(fixed(10, 'day'))
    const held = await reserve(world.node, 8)
    await world.node.limiter.topUp('key', { amount: 8 })
    await held.reservation.settle({ tokens: 0 })
    expect(await admittedOf(world.node, 20)).toBe(10)
  })
})

describe('a window from its first use on', () => {
  const fromFirstUse = (limit: number, window_seconds: number) => ({
    algorithm: 'fixed_window',
    limit,
    window: 'first_use',
    window_seconds,
  })

  const stateOf = async ({ node }: TestWorld) => {
    const [state] = (await node.limiter.status('key', '_default_')).limits
    return state ?? expect.fail('no limit')
  }

  test('begins with its first charge, not when it is set or looked at, and restarts after its end', async () => {
    const world = worldWith(fromFirstUse(10, 3600))
    advance(world, 5000)
    expect(await stateOf(world)).toMatchObject({ available: 10, resetNs: 0n })
    expect((await stateOf(world)).endsInNs).toBeUndefined()
    expect(await admits(world.node, 0)).toBe(true)
    expect((await stateOf(world)).endsInNs).toBeUndefined()
    expect(await admits(world.node, 4)).toBe(true)
    advance(world, 3599)
    expect(await stateOf(world)).toMatchObject({ available: 6, resetNs: SECOND, endsInNs: SECOND })
    expect(await admittedOf(world.join(), 9)).toBe(6)
    advance(world, 1)
    expect(await stateOf(world)).toMatchObject({ available: 10, resetNs: 0n })
    advance(world, 500)
    expect(await admittedOf(world.node, 12)).toBe(10)
    expect((await stateOf(world)).endsInNs).toBe(3600n * SECOND)
  })

  test('is one window for nodes whose clocks differ, and denies until its end', async () => {
    const world = worldWith(fromFirstUse(10, 60))
    const [behind, ahead] = [nodeOff(world, -2), nodeOff(world, 2)]
    expect(await admits(ahead, 6)).toBe(true)
    expect(await admits(behind, 5)).toBe(false)
    expect(await admits(behind, 4)).toBe(true)
    advance(world, 59)
    expect(await admits(behind, 1)).toBe(false)
    const denied = await world.node.limiter.decide({ entityId: 'key', cost: { tokens: 1 }, settles: false })
    expect(denied).toMatchObject({ allowed: false, retryAfterNs: 3n * SECOND })
  })

  test('refunds only in the window that was charged', async () => {
    const world = worldWith(fromFirstUse(10, 60))
    const held = await reserve(world.node, 8)
    advance(world, 61)
    expect(await admits(world.node, 3)).toBe(true)
    await held.reservation.settle({ tokens: 0 })
    expect(await available(world)).toBe(7)
  })

  test('keeps its start when its limit changes, and the use of another algorithm from now on', async () => {
    const world = worldWith(fromFirstUse(10, 3600))
    expect(await admits(world.node, 8)).toBe(true)
    advance(world, 1800)
    putLimit(world, fromFirstUse(20, 3600))
    expect(await stateOf(world)).toMatchObject({ available: 12, endsInNs: 1800n * SECOND })
    putLimit(world, fixed(20, 'month'))
    expect(await admits(world.join(), 1)).toBe(true)
    expect(await available(world)).toBe(11)
    putLimit(world, fromFirstUse(20, 60))
    expect(await admits(world.join(), 1)).toBe(true)
    advance(world, 1)
    expect(await stateOf(world)).toMatchObject({ available: 10, endsInNs: 59n * SECOND })
  })

  test('shorter than what has passed of it goes on from now, with what was used', async () => {
    const world = worldWith(fromFirstUse(10, 86_400))
    expect(await admits(world.node, 8)).toBe(true)
    advance(world, 7200)
    putLimit(world, fromFirstUse(10, 3600))
    expect(await admits(world.join(), 3)).toBe(false)
    advance(world, 3600)
    expect(await admits(world.join(), 10)).toBe(true)
  })
})

describe('several limits in one bucket', () => {
  const mixed = parseLimits(
    [
      { name: 'rpm', capacity: 10, refill_rate: 1 },
      { name: 'tpd', algorithm: 'fixed_window', limit: 100, window: 'day' },
      { name: 'tph', algorithm: 'sliding_window', limit: 60, window_seconds: 3600 },
      { name: 'tpm', algorithm: 'fixed_window', limit: 50, window: 'minute' },
    ],
    'limits',
  )

  const mixedWorld = (): TestWorld => {
    const world = createTestWorld()
    world.config.putEntity('key')
    world.config.putLimits(entityOwner('key'), '_default_', mixed)
    return world
  }

  test('are charged all or none, in one write each time', async () => {
    const world = mixedWorld()
    const decide = (tokens: number) =>
      world.node.limiter.decide({ entityId: 'key', cost: { requests: 1, tokens }, settles: false })
    expect((await decide(40)).allowed).toBe(true)
    expect(world.node.counts).toMatchObject({ bucket_writes: 1 })
    const denied = await decide(30)
    expect(denied.allowed ? [] : denied.violations.map(({ state }) => state.limit.name)).toEqual([
      'tph',
      'tpm',
    ])
    expect(denied.limits.map(({ limit, used }) => [limit.name, used])).toEqual([
      ['rpm', 1],
      ['tpd', 40],
      ['tph', 40],
      ['tpm', 40],
    ])
  })

  test('are refunded if one window has rolled over and the others have not', async () => {
    const world = mixedWorld()
    const decision = await world.node.limiter.decide({
      entityId: 'key',
      cost: { requests: 1, tokens: 40 },
      settles: true,
    })
    world.clock.advance(61n * SECOND)
    expect(
      (await world.join().limiter.decide({ entityId: 'key', cost: { tokens: 5 }, settles: false })).allowed,
    ).toBe(true)
    if (decision.allowed) await decision.reservation.settle({ tokens: 10 })
    const { limits } = await world.join().limiter.status('key', '_default_')
    expect(limits.map(({ limit, used }) => [limit.name, used])).toEqual([
      ['rpm', 0],
      ['tpd', 15],
      ['tph', 15],
      ['tpm', 5],
    ])
    expect(world.clock.now()).toBe(START + 61n * SECOND)
  })
})
