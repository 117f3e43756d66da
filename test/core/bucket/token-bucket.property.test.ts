import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import type { Algorithm, LimitFields, LimitWrite } from '../../../src/core/bucket/algorithm.ts'
import { applyActions } from '../../../src/core/bucket/apply-write.ts'
import { algorithmOf, algorithmOfText } from '../../../src/core/bucket/registry.ts'
import { nsPerToken } from '../../../src/core/model/time.ts'
import { holds } from '../../../src/store/memory/conditional-write.ts'
import { START } from '../test-clock.ts'

const capacities = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 1_000_000_000 }))

const windowSeconds = fc.oneof(fc.constantFrom(1, 60, 3600, 86_400), fc.integer({ min: 1, max: 1_000_000 }))

const buckets = fc
  .tuple(capacities, windowSeconds)
  .map(([capacity, seconds]) => ({ capacity, seconds, algorithm: bucketOf(capacity, capacity / seconds) }))

const states = fc.bigInt({ min: -(10n ** 15n), max: 10n ** 16n })

const bucketOf = (capacity: number, refillRate: number): Algorithm =>
  algorithmOf({ algorithm: 'token_bucket', capacity, refillRate })

/** Applies one limit's write; undefined if a condition fails. */
const applied = (fields: LimitFields, { conditions, actions }: LimitWrite): LimitFields | undefined =>
  conditions.every((condition) => holds(condition, fields)) ? applyActions(fields, actions) : undefined

describe('a token bucket', () => {
  test.prop([capacities, fc.double({ min: 1e-4, max: 1e6, noNaN: true })])(
    'is read back from its text with the same arithmetic',
    (capacity, refillRate) => {
      // limits that take longer to fill are rejected
      fc.pre(capacity / refillRate < 100 * 366 * 86_400)
      const bucket = bucketOf(capacity, refillRate)
      const again = algorithmOfText(bucket.text)
      expect(again?.text).toBe(bucket.text)
      expect(again?.windowNs).toBe(bucket.windowNs)
      expect(again?.capacity).toBe(capacity)
    },
  )

  test.prop([capacities, windowSeconds])(
    'has exactly its capacity, and never refills faster than its rate',
    (capacity, seconds) => {
      const { windowNs } = bucketOf(capacity, capacity / seconds)
      const tokenNs = nsPerToken(capacity / seconds)
      expect(windowNs).toBe(BigInt(capacity) * tokenNs)
      // tokens × ns per token ≥ the window, except for the rounding of the rate to a double
      const shortBy = BigInt(seconds) * 1_000_000_000n - windowNs
      expect(shortBy <= windowNs / 10n ** 14n).toBe(true)
    },
  )

  test.prop([buckets, fc.double({ min: 0, max: 1, noNaN: true }), states])(
    'returns the first moment at which a denied request would pass',
    ({ capacity, algorithm }, share, offset) => {
      const cost = Math.max(1, Math.floor(capacity * share))
      const fields = { tat: START + offset, refunded: 0n }
      const wait = algorithm.wait(fields, cost, START, capacity)
      const passes = (at: bigint) =>
        applied(fields, algorithm.charge(fields, cost, at, capacity)) !== undefined
      expect(passes(START + wait)).toBe(true)
      if (wait > 0n) expect(passes(START + wait - 1n)).toBe(false)
    },
  )

  test.prop([buckets, fc.double({ min: 0, max: 1, noNaN: true }), states, states])(
    'is charged exactly or not at all, from any cached state',
    ({ capacity, algorithm }, share, offset, guess) => {
      const cost = Math.max(1, Math.floor(capacity * share))
      const fields = { tat: START + offset, refunded: 0n }
      const guessed = algorithm.charge({ tat: START + guess, refunded: 0n }, cost, START, capacity)
      const after = applied(fields, guessed)
      if (after === undefined) return
      const free = algorithm.wait(fields, cost, START, capacity) === 0n
      expect(free).toBe(true)
      const before = offset > 0n ? START + offset : START
      expect(after.tat).toBe(before + (algorithm.windowNs / BigInt(capacity)) * BigInt(cost))
    },
  )

  test.prop([buckets, fc.bigInt({ min: 0n, max: 10n ** 12n }), fc.double({ min: 0, max: 1, noNaN: true })])(
    'is unchanged after an immediate refund',
    ({ capacity, algorithm }, busyNs, share) => {
      const cost = Math.max(1, Math.floor(capacity * share))
      const fields: LimitFields = busyNs === 0n ? {} : { tat: START + busyNs, refunded: 0n }
      const after = applied(fields, algorithm.charge(fields, cost, START, capacity))
      if (after === undefined) return
      const basis = algorithm.refundBasis(after, START)
      const write = algorithm.refund(after, {
        basis,
        amount: cost,
        now: START,
        elapsedNs: 0n,
        full: false,
        unconditional: false,
      })
      const restored = write && applied(after, write)
      expect(restored && algorithm.level(restored, START)).toEqual(algorithm.level(fields, START))
    },
  )

  test.prop([buckets, buckets, fc.bigInt({ min: 0n, max: 10n ** 14n })])(
    'keeps its used tokens when its size changes',
    (from, to, busyNs) => {
      const fields = { tat: START + busyNs, refunded: 7n }
      const after = to.algorithm.carryOver(from.algorithm, fields, START)
      const [before, kept] = [
        from.algorithm.usedMillionths(fields, START),
        to.algorithm.usedMillionths(after, START),
      ]
      expect(kept >= before).toBe(true)
      expect(after.refunded).toBe(7n)
      // rounded up by less than a nanosecond's worth of tokens
      const tokenNs = to.algorithm.windowNs / BigInt(to.capacity)
      expect(kept - before <= 1_000_000n / tokenNs + 1n).toBe(true)
    },
  )
})
