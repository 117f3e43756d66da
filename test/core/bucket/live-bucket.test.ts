import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import type { EffectiveLimit } from '../../../src/core/bucket/effective-limit.ts'
import { LiveBucket } from '../../../src/core/bucket/live-bucket.ts'
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
  const bucket = new LiveBucket(item, START, {
    used: () => events.push('used'),
    ended: () => events.push('ended'),
  })
  return { bucket, events }
}

const charge = (bucket: LiveBucket, effective = effectiveOf(60)): void => {
  const held = bucket.hold(effective)
  if (held === undefined) throw new Error('not held')
  held.state.take(1)
  held.isNamed = true
  bucket.charged(held.state.fullInNs())
}

describe('a live bucket', () => {
  test('is the item that it was made from until it is charged', () => {
    expect(open().bucket.item()).toBe(ITEM)
  })

  test('counts a write per charge, and contains the state and the counters', () => {
    const { bucket, events } = open()
    charge(bucket)
    charge(bucket)
    bucket.count('used_requests', 2)
    bucket.count('denied', 0)
    expect(bucket.item()).toEqual({ ...ITEM, rev: 3n, rpm_tat: START + 3n * SECOND, used_requests: 2n })
    charge(bucket)
    bucket.count('used_requests', 1n)
    expect(bucket.item()).toMatchObject({ rev: 4n, used_requests: 3n })
    expect(events).toEqual(['used', 'used', 'used'])
  })

  test('moves ttl where a limit may be in use beyond it, as a write does', () => {
    const { bucket } = open()
    bucket.moveTo(START + DAY - SECOND)
    charge(bucket)
    expect(bucket.item().ttl).toBe(ITEM.ttl)
    bucket.moveTo(START + DAY + SECOND)
    charge(bucket)
    expect(bucket.item().ttl).toBe((START + 4n * DAY + 61n * SECOND) / SECOND)
  })

  test('names a limit with its first charge', () => {
    const { bucket } = open()
    const added = effectiveOf(5, 'burst')
    bucket.hold(added)
    charge(bucket)
    expect(bucket.item()).not.toHaveProperty('burst_limit')
    charge(bucket, added)
    expect(bucket.item()).toMatchObject({
      burst_limit: 'token_bucket 5 per 5s',
      burst_version: 3n,
      burst_tat: START + SECOND,
    })
  })

  test('holds no limit of another size than it is kept by', () => {
    const { bucket } = open()
    expect(bucket.hold(effectiveOf(61))).toBeUndefined()
    expect(bucket.hold(effectiveOf(60))).toBeDefined()
    expect(bucket.hold(effectiveOf(61))).toBeUndefined()
  })

  test('counts exactly beyond the safe integers', () => {
    const { bucket } = open({ ...ITEM, used_tokens: 2n })
    for (let i = 0; i < 3; i++) bucket.count('used_tokens', Number.MAX_SAFE_INTEGER)
    bucket.count('used_tokens', 2n ** 60n)
    expect(bucket.item().used_tokens).toBe(2n + 3n * BigInt(Number.MAX_SAFE_INTEGER) + 2n ** 60n)
  })

  test('ends, in the same state, when its time has moved too far for exact numbers', () => {
    const { bucket, events } = open()
    charge(bucket)
    expect(bucket.moveTo(START + 20n * DAY)).toBe(true)
    expect(bucket.moveTo(START + 40n * DAY)).toBe(false)
    expect(bucket.isEnded).toBe(true)
    expect(bucket.item()).toEqual({ ...ITEM, rev: 2n, rpm_tat: START + 2n * SECOND })
    expect(events).toEqual(['used', 'ended'])
  })
})
