import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import type { EffectiveLimit } from '../../../src/core/bucket/effective-limit.ts'
import { createLiveTimes, LiveBucket } from '../../../src/core/bucket/live-bucket.ts'
import { algorithmOf } from '../../../src/core/bucket/registry.ts'
import type { BucketItem } from '../../../src/core/bucket/write.ts'
import { SECOND, START } from '../test-clock.ts'

const DAY = 86_400n * SECOND

const effectiveOf = (capacity: number, name = 'rpm'): EffectiveLimit => {
  const [limit] = parseLimits([{ name, capacity, refill_rate: 1 }], 'limits')
  if (limit === undefined) throw new Error('no limit')
  return { limit, algorithm: algorithmOf(limit.size), version: 3n, source: 'entity', headroom: 0 }
}

/** Charged once, at START: `ttl` allows it to be in use for a day after that. */
const ITEM: BucketItem = {
  born: START,
  rev: 1n,
  ttl: (START + 60n * SECOND + 3n * DAY) / SECOND,
  rpm_limit: 'token_bucket 60 per 60s',
  rpm_version: 3n,
  rpm_tat: START + SECOND,
  rpm_refunded: 0n,
}

const open = (item = ITEM) => {
  const events: string[] = []
  const periods = { current: 1 }
  const timeOf = createLiveTimes()
  const bucket = new LiveBucket(item, timeOf(START), {
    periods,
    used: () => events.push('used'),
    ended: () => events.push('ended'),
  })
  const hold = (effective: EffectiveLimit, now = START) => bucket.hold(effective, timeOf(now))
  const charge = (effective = effectiveOf(60), now = START): void => {
    const held = hold(effective, now)
    if (held === undefined) throw new Error('not held')
    held.state.moveTo(timeOf(now))
    held.state.take(1)
    bucket.charged(timeOf(now).ns + held.state.fullInNs())
  }
  return { bucket, events, periods, timeOf, hold, charge }
}

describe('a live bucket', () => {
  test('is the item that it was made from until it is charged', () => {
    expect(open().bucket.item()).toBe(ITEM)
  })

  test('counts a write per charge, and contains the state and the counters', () => {
    const { bucket, charge } = open()
    charge()
    charge()
    bucket.count('used_requests', 2)
    bucket.count('denied', 0)
    expect(bucket.item()).toEqual({ ...ITEM, rev: 3n, rpm_tat: START + 3n * SECOND, used_requests: 2n })
    charge()
    bucket.count('used_requests', 1n)
    expect(bucket.item()).toMatchObject({ rev: 4n, used_requests: 3n })
  })

  test('is used once per period, by charges and denials', () => {
    const { bucket, events, periods, charge } = open()
    charge()
    bucket.denied()
    charge()
    expect(events).toEqual(['used'])
    periods.current++
    bucket.denied()
    charge()
    expect(events).toEqual(['used', 'used'])
  })

  test('moves ttl where a limit may be in use beyond it, as a write does', () => {
    const { bucket, charge } = open()
    charge(effectiveOf(60), START + DAY - SECOND)
    expect(bucket.item().ttl).toBe(ITEM.ttl)
    charge(effectiveOf(60), START + DAY + SECOND)
    expect(bucket.item().ttl).toBe((START + 4n * DAY + 61n * SECOND) / SECOND)
  })

  test('names a limit with its first charge', () => {
    const { bucket, hold, charge } = open()
    const added = effectiveOf(5, 'burst')
    hold(added)
    charge()
    expect(bucket.item()).not.toHaveProperty('burst_limit')
    charge(added)
    expect(bucket.item()).toMatchObject({
      burst_limit: 'token_bucket 5 per 5s',
      burst_version: 3n,
      burst_tat: START + SECOND,
    })
  })

  test('holds no limit of another size than it is kept by', () => {
    const { hold } = open()
    expect(hold(effectiveOf(61))).toBeUndefined()
    expect(hold(effectiveOf(60))).toBeDefined()
    expect(hold(effectiveOf(61))).toBeUndefined()
  })

  test('counts exactly beyond the safe integers', () => {
    const { bucket } = open({ ...ITEM, used_tokens: 2n })
    for (let i = 0; i < 3; i++) bucket.count('used_tokens', Number.MAX_SAFE_INTEGER)
    bucket.count('used_tokens', 2n ** 60n)
    expect(bucket.item().used_tokens).toBe(2n + 3n * BigInt(Number.MAX_SAFE_INTEGER) + 2n ** 60n)
  })

  test('is of no time too far for exact numbers, nor after its end', () => {
    const { bucket, events, timeOf, charge } = open()
    charge()
    expect(bucket.isOf(timeOf(START + 20n * DAY))).toBe(true)
    expect(bucket.isOf(timeOf(START + 40n * DAY))).toBe(false)
    expect(timeOf(START + 40n * DAY).ns).toBe(0)
    expect(bucket.isOf(timeOf(START))).toBe(false)
    expect(bucket.item()).toEqual({ ...ITEM, rev: 2n, rpm_tat: START + 2n * SECOND })
    const other = open()
    other.bucket.end()
    expect(other.bucket.isOf(other.timeOf(START))).toBe(false)
    expect([...events, ...other.events]).toEqual(['used', 'ended'])
  })
})
