import fc from 'fast-check'
import type { Algorithm, LimitFields, LimitWrite } from '../../../src/core/bucket/algorithm.ts'
import { applyActions } from '../../../src/core/bucket/apply-write.ts'
import { algorithmOf } from '../../../src/core/bucket/registry.ts'
import type { ALGORITHMS, LimitSize } from '../../../src/core/model/limit.ts'
import { CALENDAR_UNITS } from '../../../src/core/model/limit.ts'
import { holds } from '../../../src/store/memory/conditional-write.ts'
import { START } from '../test-clock.ts'

const limit = fc.integer({ min: 1, max: 40 })

const tokenBucket: fc.Arbitrary<LimitSize> = fc
  .tuple(limit, fc.constantFrom(1, 60, 3600))
  .map(([capacity, seconds]) => ({ algorithm: 'token_bucket', capacity, refillRate: capacity / seconds }))

const slidingWindow: fc.Arbitrary<LimitSize> = fc.record({
  algorithm: fc.constant('sliding_window' as const),
  limit,
  windowSeconds: fc.constantFrom(1, 7, 60, 3600),
  slots: fc.constantFrom(2, 7, 30, 60),
})

const calendarWindow: fc.Arbitrary<LimitSize> = fc.record({
  algorithm: fc.constant('fixed_window' as const),
  limit,
  window: fc.constantFrom(...CALENDAR_UNITS),
  timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', '+02:00'),
})

const firstUseWindow: fc.Arbitrary<LimitSize> = fc.record({
  algorithm: fc.constant('fixed_window' as const),
  limit,
  window: fc.constant('first_use' as const),
  windowSeconds: fc.constantFrom(1, 7, 60, 86_400),
})

/** A limit that counts amounts, which time gives back. Slots of a concurrency limit are held and released instead. */
export type AmountAlgorithm = Exclude<(typeof ALGORITHMS)[number], 'concurrency'>

/** A size of every such algorithm; properties that hold for all of them are tested on all of them. */
export const sizes: Readonly<Record<AmountAlgorithm, fc.Arbitrary<LimitSize>>> = {
  token_bucket: tokenBucket,
  sliding_window: slidingWindow,
  fixed_window: fc.oneof(calendarWindow, firstUseWindow),
}

export const anySize = fc.oneof(...Object.values(sizes))

/** The same size, paused. */
export const pausedSize = (size: LimitSize): LimitSize =>
  size.algorithm === 'token_bucket' ? { ...size, capacity: 0, refillRate: 0 } : { ...size, limit: 0 }

/** Applies one limit's write; undefined if a condition fails. */
export const applied = (fields: LimitFields, { conditions, actions }: LimitWrite): LimitFields | undefined =>
  conditions.every((condition) => holds(condition, fields)) ? applyActions(fields, actions) : undefined

interface Step {
  /** Share of the window that passes before it. */
  readonly wait: number
  /** Share of the limit. */
  readonly cost: number
  /** Clock offset in seconds of the node that charges. */
  readonly skew: number
}

/** Charges over time by nodes whose clocks are behind or ahead. */
export const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    wait: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 0.3, noNaN: true }), fc.constantFrom(1, 1.5)),
    cost: fc.double({ min: 0, max: 1, noNaN: true }),
    skew: fc.constantFrom(0, 0, 0, -2.5, 2.5),
  }),
  { maxLength: 25 },
)

export interface History {
  readonly algorithm: Algorithm
  /** Every state of the limit, the first one empty; as of the moments of `times`. */
  readonly states: readonly LimitFields[]
  readonly now: bigint
}

export const costOf = (algorithm: Algorithm, share: number): number =>
  Math.max(1, Math.floor(algorithm.capacity * share))

/** The states of a limit after charges, each attempted if it fits from the view of its node. */
export const historyOf = (size: LimitSize, plan: readonly Step[]): History => {
  const algorithm = algorithmOf(size)
  const states: LimitFields[] = [{}]
  let now = START
  for (const { wait, cost, skew } of plan) {
    now += BigInt(Math.floor(Number(algorithm.windowNs) * wait))
    const seen = states.at(-1) ?? {}
    // beyond one window, nodes share no window
    const most = Number(algorithm.windowNs) / 2
    const at = now + BigInt(Math.round(Math.max(-most, Math.min(most, skew * 1e9))))
    const write = algorithm.charge(seen, costOf(algorithm, cost), at, algorithm.capacity)
    const after = applied(seen, write)
    if (after !== undefined) states.push(after)
  }
  return { algorithm, states, now }
}

export const histories = (size: fc.Arbitrary<LimitSize>): fc.Arbitrary<History> =>
  fc.tuple(size, steps).map(([each, plan]) => historyOf(each, plan))
