import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import type { Algorithm, LimitFields, LiveLimit } from '../../../src/core/bucket/algorithm.ts'
import { applyActions } from '../../../src/core/bucket/apply-write.ts'
import { createLiveTimes } from '../../../src/core/bucket/live-bucket.ts'
import { algorithmOf } from '../../../src/core/bucket/registry.ts'
import type { LimitSize } from '../../../src/core/model/limit.ts'
import { holds } from '../../../src/store/memory/conditional-write.ts'
import { runs } from '../../property-runs.ts'
import { START } from '../test-clock.ts'

const amount = fc.integer({ min: 1, max: 30 })

const SIZES: Readonly<Record<string, fc.Arbitrary<LimitSize>>> = {
  token_bucket: fc.record({
    algorithm: fc.constant('token_bucket' as const),
    capacity: fc.oneof(amount, fc.constantFrom(1_000_000, 2 ** 40)),
    refillRate: fc.constantFrom(0.001, 0.3, 1, 7, 1e6),
  }),
  sliding_window: fc.record({
    algorithm: fc.constant('sliding_window' as const),
    limit: amount,
    windowSeconds: fc.constantFrom(10, 61, 86_400),
    slots: fc.constantFrom(2, 5, 30),
  }),
  fixed_window: fc.record({
    algorithm: fc.constant('fixed_window' as const),
    limit: amount,
    window: fc.constantFrom('minute' as const, 'hour' as const, 'month' as const),
    timeZone: fc.constantFrom('UTC', 'Asia/Kolkata'),
  }),
  'fixed_window from its first use': fc.record({
    algorithm: fc.constant('fixed_window' as const),
    limit: amount,
    window: fc.constant('first_use' as const),
    windowSeconds: fc.constantFrom(1, 61, 86_400, 30 * 86_400),
  }),
}

const steps = fc.array(
  fc.record({
    /** In thousandths of the window. */
    elapsed: fc.oneof(fc.nat(60), fc.nat(60), fc.integer({ min: -20, max: 3000 })),
    /** Waits until the cost of the previous step passes, and this many ns. */
    wait: fc.option(fc.integer({ min: -1, max: 1 })),
    cost: fc.integer({ min: 0, max: 12 }),
    kept: fc.nat(3),
  }),
  { minLength: 1, maxLength: 60 },
)

/** The state after a conditional write of `cost`; undefined if it does not pass. */
const written = (algorithm: Algorithm, fields: LimitFields, cost: number, now: bigint, bound: number) => {
  for (const snapshot of [fields, undefined]) {
    const write = algorithm.charge(snapshot, cost, now, bound)
    if (write.conditions.every((condition) => holds(condition, fields)))
      return applyActions(fields, write.actions)
  }
  return undefined
}

interface Step {
  readonly cost: number
  readonly bound: number
  readonly now: bigint
}

/** Charges both forms, and compares them; the fields that follow. */
const compared = (algorithm: Algorithm, fields: LimitFields, live: LiveLimit, { cost, bound, now }: Step) => {
  const after = written(algorithm, fields, cost, now, bound)
  expect(live.fits(cost, bound)).toBe(after !== undefined)
  expect(BigInt(live.waitNs(cost, bound))).toBe(algorithm.wait(fields, cost, now, bound))
  expect(BigInt(live.fullInNs())).toBe(algorithm.latestFullAt(now) - now)
  if (after !== undefined) live.take(cost)
  expect(live.fields()).toEqual(after ?? fields)
  expect(levelOf(live)).toEqual(algorithm.level(after ?? fields, now))
  return after ?? fields
}

const levelOf = (live: LiveLimit) => {
  const endsInNs = live.endsInNs()
  return {
    available: live.available(),
    resetNs: BigInt(live.resetNs()),
    ...(endsInNs !== undefined && { endsInNs: BigInt(endsInNs) }),
  }
}

/** Both forms of one limit, from the same state at the same time. */
const createBoth = (algorithm: Algorithm) => {
  let [now, fields]: [bigint, LimitFields] = [START, {}]
  const timeOf = createLiveTimes()
  let time = timeOf(now)
  let live = algorithm.live?.(fields, time)
  return {
    waitNs: (cost: number, bound: number): bigint => algorithm.wait(fields, cost, now, bound),
    moveBy(ns: bigint): void {
      now += ns
      const { origin } = time
      time = timeOf(now)
      const isMoved = time.origin === origin && live?.moveTo(time) === true
      if (!isMoved) live = algorithm.live?.(fields, time)
    },
    charge(cost: number, bound: number): void {
      if (live !== undefined) fields = compared(algorithm, fields, live, { cost, bound, now })
      else fields = written(algorithm, fields, cost, now, bound) ?? fields
    },
  }
}

describe.each(Object.entries(SIZES))('a live %s', (_, sizes) => {
  test.prop([sizes, steps], { numRuns: runs(500) })(
    'has the states, levels and waits of conditional writes',
    (size, plan) => {
      const algorithm = algorithmOf(size)
      const both = createBoth(algorithm)
      let waitNs = 0n
      for (const { elapsed, wait, cost, kept } of plan) {
        both.moveBy(wait === null ? (algorithm.windowNs * BigInt(elapsed)) / 1000n : waitNs + BigInt(wait))
        const bound = Math.max(1, algorithm.capacity - kept)
        if (cost > bound) continue
        waitNs = both.waitNs(cost, bound)
        both.charge(cost, bound)
      }
    },
  )
})
