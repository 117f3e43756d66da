import { fc } from '@fast-check/vitest'
import type { StreamRecord } from '../../src/usage/stream-usage.ts'
import { type BucketState, bucketRecord, HOUR_ZERO } from './bucket-records.ts'
import type { Totals } from './test-usage-store.ts'

/** An event on one of three buckets. */
export interface BucketEvent {
  readonly bucket: number
  readonly pauseSeconds: number
  readonly requests: number
  readonly tokens: number
  readonly change: 'use' | 'reset' | 'delete'
}

export const bucketEvents: fc.Arbitrary<BucketEvent[]> = fc.array(
  fc.record({
    bucket: fc.nat({ max: 2 }),
    pauseSeconds: fc.oneof(fc.nat({ max: 5 }), fc.nat({ max: 4000 })),
    requests: fc.nat({ max: 3 }),
    tokens: fc.nat({ max: 500 }),
    change: fc.constantFrom(
      'use' as const,
      'use' as const,
      'use' as const,
      'reset' as const,
      'delete' as const,
    ),
  }),
  { minLength: 1, maxLength: 40 },
)

const use = (event: BucketEvent): Record<string, number> => ({
  requests: event.requests,
  tokens: event.tokens,
})

const counted = (amounts: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(amounts).map(([meter, amount]) => [`used_${meter}`, amount]))

const plus = (
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Record<string, number> =>
  Object.fromEntries(Object.keys({ ...a, ...b }).map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)]))

const after = (event: BucketEvent, old: BucketState | undefined, place: number): BucketState | undefined => {
  if (event.change === 'delete') return undefined
  if (old === undefined) return { born: place + 1, rev: 1, counters: counted(use(event)) }
  if (event.change === 'reset') return { born: place + 1, rev: old.rev + 1, counters: counted(use(event)) }
  return { born: old.born, rev: old.rev + 1, counters: plus(old.counters, counted(use(event))) }
}

/** Plays the events: the resulting stream (sequence numbers count from 1), and each hour's use by plain addition. */
export const play = (
  history: readonly BucketEvent[],
): { readonly records: readonly StreamRecord[]; readonly expected: Totals } => {
  const states = new Map<string, BucketState | undefined>()
  const expected: Record<string, Record<string, number>> = {}
  let seconds = 0
  const records = history.map((event, place) => {
    seconds += event.pauseSeconds
    const entityId = `key-${event.bucket}`
    const old = states.get(entityId)
    const state = after(event, old, place)
    states.set(entityId, state)
    const key = `${entityId}#gpt-4#${HOUR_ZERO + Math.floor(seconds / 3600) * 3600}`
    if (state !== undefined) expected[key] = plus(expected[key] ?? {}, use(event))
    return bucketRecord({
      entityId,
      sequence: place + 1,
      seconds,
      ...(old && { old }),
      ...(state && { new: state }),
    })
  })
  return { records, expected }
}

/** Without counters and hours of 0, which need not be written. */
export const withoutZeros = (totals: Totals): Totals =>
  Object.fromEntries(
    Object.entries(totals)
      .map(
        ([key, total]) =>
          [key, Object.fromEntries(Object.entries(total).filter(([, count]) => count !== 0))] as const,
      )
      .filter(([, total]) => Object.keys(total).length > 0),
  )
