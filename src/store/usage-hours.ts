import type { WriteOutcome } from '../core/bucket/bucket-store.ts'
import {
  anyOf,
  type BucketItem,
  below,
  type ConditionalWrite,
  equal,
  missing,
  set,
  setIfMissing,
} from '../core/bucket/write.ts'
import { StoreUnavailable } from '../core/model/errors.ts'
import { TOTAL_RESOURCE } from '../core/model/limit-set.ts'
import { METERS, type Meter } from '../core/model/meter.ts'
import { DAY_SECONDS, HOUR_SECONDS } from '../core/model/time.ts'
import type { Counters, UsageHour, UsagePoint, UsageQuery } from '../core/model/usage.ts'

/** How long an hour of usage is kept, seconds: a year and a month. */
const KEPT_SECONDS = BigInt(400 * DAY_SECONDS)

/** Attempts for a late record while others change the same hour. */
const TRIES = 5

/** Identifies the item of an hour of one generation of a bucket. */
export type HourKey = Pick<UsageHour, 'entityId' | 'resource' | 'born' | 'hourStart'>

/** Writes the item of one hour. */
export type WriteHour = (key: HourKey, write: ConditionalWrite) => Promise<WriteOutcome>

/**
 * Implements `UsageStore.record` for every adapter: one conditional write, which keeps the first `from` and raises `to`; if the
 * batch is late, or begins before the recorded counters, a second one that lowers `from`. Counters only grow, so `from` only
 * falls and `to` only rises, in any order and with any number of repetitions.
 */
export const createRecordHour =
  (write: WriteHour) =>
  async (hour: UsageHour): Promise<void> => {
    let { item } = await write(hour, raise(hour))
    for (let tries = 0; tries < TRIES; tries += 1) {
      const stored = countersOf(item, 'from')
      const lowered = lower(stored, hour.from)
      if (item === undefined || lowered.length === 0) return
      const outcome = await write(hour, {
        conditions: lowered.map(([name, value]) => equal(['from', name], value)),
        actions: lowered.map(([name]) => set(['from', name], hour.from[name] ?? 0n)),
      })
      if (outcome.applied) return
      item = outcome.item
    }
    throw new StoreUnavailable('An hour of usage was changed repeatedly', { mayHaveApplied: false })
  }

const raise = ({ from, to, rev, hourStart }: UsageHour): ConditionalWrite => ({
  conditions: [anyOf(missing('rev'), below('rev', rev))],
  actions: [
    setIfMissing('from', from),
    set('to', to),
    set('rev', rev),
    set('ttl', BigInt(hourStart) + KEPT_SECONDS),
  ],
})

/** The stored counters above those of `from`; a missing one counts as 0. */
const lower = (stored: Counters, from: Counters): readonly (readonly [name: string, value: bigint])[] =>
  Object.entries(stored).filter(([name, value]) => value > (from[name] ?? 0n))

/** The counters under `name` of an hour's item. */
const countersOf = (item: BucketItem | undefined, name: 'from' | 'to'): Counters => {
  const value = item?.[name]
  return typeof value === 'object' ? value : {}
}

/** A stored hour of one generation of a bucket. */
export interface StoredHour {
  readonly hourStart: number
  readonly resource: string
  readonly item: BucketItem
}

/** The hours of the points whose start is in [from, to) of a query: seconds since the epoch. */
export const hoursOf = ({
  granularity,
  from,
  to,
}: UsageQuery): { readonly from: number; readonly to: number } => {
  const length = lengthOf(granularity)
  const align = (seconds: number): number => Math.ceil(seconds / length) * length
  return { from: align(from), to: align(to) }
}

/** Sums over the generations of a bucket and the hours of a day: oldest first, then by resource. */
export const toUsagePoints = (hours: readonly StoredHour[], query: UsageQuery): readonly UsagePoint[] => {
  const points = new Map<string, UsagePoint>()
  for (const hour of hours.filter(({ resource }) => matchesQuery(resource, query))) {
    const start = Math.floor(hour.hourStart / lengthOf(query.granularity)) * lengthOf(query.granularity)
    const key = `${start}#${hour.resource}`
    points.set(key, plus(points.get(key) ?? nothing(start, hour.resource), hour.item))
  }
  return [...points.values()].sort((a, b) => a.start - b.start || (a.resource < b.resource ? -1 : 1))
}

const lengthOf = (granularity: UsageQuery['granularity']): number =>
  granularity === 'hour' ? HOUR_SECONDS : DAY_SECONDS

const matchesQuery = (resource: string, { resource: requested }: UsageQuery): boolean =>
  requested === undefined ? resource !== TOTAL_RESOURCE : resource === requested

const nothing = (start: number, resource: string): UsagePoint => ({
  start,
  resource,
  used: { requests: 0, tokens: 0, input_tokens: 0, output_tokens: 0, cost_usd_micros: 0 },
  denied: 0,
})

const plus = (point: UsagePoint, item: BucketItem): UsagePoint => {
  const used: Record<Meter, number> = { ...point.used }
  for (const meter of METERS) used[meter] += grown(item, `used_${meter}`)
  return { ...point, used, denied: point.denied + grown(item, 'denied') }
}

/** How much a counter has grown within the hour. */
const grown = (item: BucketItem, counter: string): number =>
  Number((countersOf(item, 'to')[counter] ?? 0n) - (countersOf(item, 'from')[counter] ?? 0n))
