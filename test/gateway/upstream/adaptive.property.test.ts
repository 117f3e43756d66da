import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Adaptive,
  createAdaptive,
  DECREASE,
  factorAt,
  INCREASE,
  LEAST_HOLD_NS,
  MOST_HOLD_NS,
  PROBE_NS,
  type Pressed,
  pressed,
  recoveryNs,
  SLOW_INCREASE,
} from '../../../src/gateway/upstream/adaptive.ts'
import { createTestClock, SECOND } from '../../core/test-clock.ts'
import { runs } from '../../property-runs.ts'

const TARGET = { upstream: 'main', model: 'gpt-4' }

/** High, so that few events reach it. */
const FLOOR = 0.5

interface Event {
  readonly afterMs: number
  readonly entityId: string
  readonly status: 200 | 429
  readonly retryAfter: number | null
  readonly denies: boolean
}

const events = (entities: readonly string[]) =>
  fc.array(
    fc.record({
      afterMs: fc.integer({ min: 0, max: 20_000 }),
      entityId: fc.constantFrom(...entities),
      status: fc.constantFrom(200 as const, 429 as const),
      retryAfter: fc.option(fc.integer({ min: 0, max: 600 })),
      denies: fc.boolean(),
    }),
    { maxLength: 60 },
  )

/** Lets everything happen, and calls `check` after each event. */
const play = (all: readonly Event[], check: (adaptive: Adaptive, event: Event, now: bigint) => void) => {
  const clock = createTestClock()
  const adaptive = createAdaptive(clock)
  for (const event of all) {
    clock.advance(BigInt(event.afterMs) * 1_000_000n)
    const { entityId, status, retryAfter } = event
    const headers = retryAfter === null ? {} : { 'retry-after': String(retryAfter) }
    adaptive.observe(TARGET, { entityId, status, headers, floor: FLOOR })
    if (event.denies) adaptive.paceOf([TARGET], entityId)?.onDenial()
    check(adaptive, event, clock.monotonic())
  }
  return { clock, adaptive }
}

const factorFor = (adaptive: Adaptive, entityId: string): number =>
  adaptive.paceOf([TARGET], entityId)?.factor ?? 1

/** More than the longest hold, and the whole way from the floor. */
const RECOVERY_NS = MOST_HOLD_NS + PROBE_NS + BigInt(Math.ceil((1 - FLOOR) / INCREASE)) * SECOND

describe('the factor of a target', () => {
  test('is never below the floor, and 1 after a bounded time without pressure', () => {
    fc.assert(
      fc.property(events(['a', 'b', 'c']), (all) => {
        const { clock, adaptive } = play(all, (now) => {
          for (const entity of ['a', 'b', 'c']) {
            const pace = now.paceOf([TARGET], entity)
            if (pace === undefined) continue
            expect(pace.factor).toBeGreaterThanOrEqual(FLOOR)
            expect(pace.factor).toBeLessThan(1)
            expect(pace.recoveryNs).toBeLessThanOrEqual(RECOVERY_NS)
          }
        })
        clock.advance(RECOVERY_NS)
        expect(adaptive.factors()).toEqual([])
        expect(factorFor(adaptive, 'a')).toBe(1)
      }),
      { numRuns: runs(300) },
    )
  })

  test('falls only by pressure, by at most a share at a time', () => {
    fc.assert(
      fc.property(events(['a', 'b']), (all) => {
        let before = 1
        play(all, (adaptive, { status }) => {
          const [{ factor } = { factor: 1 }] = adaptive.factors()
          expect(factor).toBeGreaterThanOrEqual(Math.min(before * DECREASE, 1) - 1e-9)
          if (status === 200) expect(factor).toBeGreaterThanOrEqual(before)
          before = factor
        })
      }),
      { numRuns: runs(300) },
    )
  })

  test('grows with time, slowly for two minutes, and not while it is held', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ afterMs: fc.integer({ min: 0, max: 90_000 }), wait: fc.integer({ min: 0, max: 120 }) }),
          {
            minLength: 1,
          },
        ),
        fc.integer({ min: 0, max: 200_000 }),
        (all, laterMs) => {
          let now = 0n
          let state: Pressed | undefined
          for (const { afterMs, wait } of all) {
            now += BigInt(afterMs) * 1_000_000n
            state = pressed(state, { now, floor: FLOOR, waitNs: BigInt(wait) * SECOND })
            const hold = state.heldUntil - now
            expect(hold).toBeGreaterThanOrEqual(LEAST_HOLD_NS)
            expect(hold).toBeLessThanOrEqual(MOST_HOLD_NS)
            expect(factorAt(state, state.heldUntil)).toBe(state.factor)
          }
          if (state === undefined) return
          const later = state.heldUntil + BigInt(laterMs) * 1_000_000n
          const seconds = laterMs / 1000
          const grown = Math.min(seconds, 120) * SLOW_INCREASE + Math.max(0, seconds - 120) * INCREASE
          expect(factorAt(state, later)).toBeCloseTo(Math.min(1, state.factor + grown), 9)
          expect(factorAt(state, later + recoveryNs(state, later))).toBe(1)
        },
      ),
      { numRuns: runs(300) },
    )
  })
})

describe('one caller', () => {
  test('cannot lower the factor of others, whatever it meets, while they are served', () => {
    fc.assert(
      fc.property(events(['attacker', 'victim']), (all) => {
        const served = all.map(
          (event): Event => (event.entityId === 'victim' ? { ...event, status: 200 } : event),
        )
        play(served, (adaptive) => expect(factorFor(adaptive, 'victim')).toBe(1))
      }),
      { numRuns: runs(300) },
    )
  })

  test('that was alone does not leave its factor to those who come after it', () => {
    fc.assert(
      fc.property(events(['first']), events(['first', 'second', 'third']), (before, after) => {
        const late = after.map(
          (event): Event =>
            event.entityId === 'first' ? { ...event, status: 429 } : { ...event, status: 200 },
        )
        play([...before, ...late], (adaptive) => {
          expect(factorFor(adaptive, 'second')).toBe(1)
          expect(factorFor(adaptive, 'third')).toBe(1)
        })
      }),
      { numRuns: runs(200) },
    )
  })
})
