import * as v from 'valibot'
import {
  ALGORITHMS,
  CALENDAR_UNITS,
  type CalendarUnit,
  DEFAULT_SLOT_SECONDS,
  DEFAULT_SLOTS,
  FIRST_USE,
  type LimitSize,
  MAX_CONCURRENCY,
  MAX_RATE,
  MAX_SLOT_SECONDS,
  MAX_SLOTS,
  MAX_WINDOW_SECONDS,
  MIN_SLOTS,
  PERIOD_SECONDS,
  PERIODS,
  type Period,
} from '../core/model/limit.ts'
import { nsPerToken } from '../core/model/time.ts'
import { checkedBy, type Fault } from './containers.ts'
import { integer } from './fields.ts'
import { type CommonFields, commonFields, limitObject, limitOf, size } from './limit-fields.ts'
import { createLimitList, type SizeFormat } from './limit-list.ts'
import {
  type CapacityScheduleEntry,
  entriesOf,
  faultOfEntries,
  type LimitScheduleEntry,
  limitEntries,
  limitSchedule,
  type ScheduleTimes,
  scheduleOf,
  timeZone,
} from './schedule.ts'

/*
 * Each algorithm in JSON: the type of its definition, which the package publishes with its comments, the schema that parses it,
 * and the fields that responses show. `test/contract/limit-sizes.test.ts` holds the types to the schemas.
 */

/** `capacity` tokens, `refill_rate` more each second. A capacity of 0, rate 0, denies every request (paused). */
export interface TokenBucketDefinition extends CommonFields {
  readonly algorithm?: 'token_bucket' | undefined
  /** Tokens the bucket holds. */
  readonly capacity: number
  /** Tokens refilled per second; 0 only with a capacity of 0. */
  readonly refill_rate: number
  /** Other sizes at some times. */
  readonly schedule?: readonly CapacityScheduleEntry[] | undefined
}

/** Short for a token bucket: `limit` tokens, refilled within the period. A limit of 0 denies every request. */
export interface PerPeriodDefinition extends CommonFields {
  readonly algorithm?: 'token_bucket' | undefined
  /** Tokens the bucket holds. */
  readonly limit: number
  /** The period in which it refills. */
  readonly per: Period
  /** Other limits at some times, each refilled within the same period. */
  readonly schedule?: readonly LimitScheduleEntry[] | undefined
}

const tokenBucketName = v.optional(v.literal('token_bucket'))

const RATE_RULE = 'be a positive number of tokens per second (0 only with capacity 0)'

/** Its bounds depend on the capacity and are checked with it. */
const refillRate = v.pipe(
  v.number(RATE_RULE),
  v.metadata({ minimum: 0, maximum: MAX_RATE }),
  v.description('Tokens refilled per second; 0 only with a capacity of 0'),
)

/** The rule that a rate breaks, for a capacity above 0; undefined if it is valid. */
const rateMust = (rate: number): string | undefined => {
  if (!Number.isFinite(rate) || rate <= 0) return RATE_RULE
  if (rate > MAX_RATE || rate < 1 / MAX_WINDOW_SECONDS)
    return `lie between one token in 100 years and ${MAX_RATE} a second`
  const isMet = Math.abs((Number(nsPerToken(rate)) * rate) / 1e9 - 1) <= 0.001
  return isMet ? undefined : 'be a rate that whole nanoseconds per token meet to 0.1 %'
}

/** The rule that a rate breaks; undefined if it is valid. With a capacity of 0, the rate has no effect and is not stored. */
const refillMust = (tokens: number, rate: number): string | undefined => {
  if (tokens === 0) return rate >= 0 && rate <= MAX_RATE ? undefined : 'be 0, as the capacity is 0'
  return (
    rateMust(rate) ?? (tokens / rate > MAX_WINDOW_SECONDS ? 'fill the capacity within 100 years' : undefined)
  )
}

const faultAt = (field: string, must: string | undefined): Fault | undefined =>
  must === undefined ? undefined : { path: [field], must }

const bucketOf = (capacity: number, rate: number): LimitSize => ({
  algorithm: 'token_bucket',
  capacity,
  refillRate: capacity === 0 ? 0 : rate,
})

interface Bucket {
  readonly capacity: number
  readonly refill_rate: number
}

/** The rate of an entry; undefined if it states none and the limit's own size is paused, so that it has no period. */
const entryRate = (
  own: Bucket,
  { capacity, refill_rate: rate }: Omit<CapacityScheduleEntry, keyof ScheduleTimes>,
): number | undefined => rate ?? (own.capacity > 0 ? (own.refill_rate * capacity) / own.capacity : undefined)

const entryRateMust = (own: Bucket, entry: CapacityScheduleEntry): string | undefined => {
  const rate = entryRate(own, entry)
  if (rate !== undefined) return refillMust(entry.capacity, rate)
  return entry.capacity === 0 ? undefined : 'be given, as the limit’s own capacity is 0'
}

const byRate = v.pipe(
  limitObject({
    ...commonFields,
    algorithm: tokenBucketName,
    capacity: v.pipe(size, v.description('Tokens the bucket holds; 0: paused')),
    refill_rate: refillRate,
    schedule: v.optional(
      scheduleOf(
        {
          capacity: v.pipe(size, v.description('The capacity at these times; 0: paused')),
          refill_rate: v.optional(
            v.pipe(
              refillRate,
              v.description('Default: the capacity refills in the same time as the limit’s own'),
            ),
          ),
        },
        'CapacityScheduleEntry',
      ),
    ),
  }),
  v.metadata({ ref: 'TokenBucketInput' }),
  checkedBy(
    (json) =>
      faultAt('refill_rate', refillMust(json.capacity, json.refill_rate)) ??
      faultOfEntries(json.schedule, 'refill_rate', (entry) => entryRateMust(json, entry)),
  ),
  v.transform((json) => {
    const entries = entriesOf(json.schedule, (entry) => bucketOf(entry.capacity, entryRate(json, entry) ?? 0))
    return limitOf(json, bucketOf(json.capacity, json.refill_rate), entries)
  }),
)

const PER_RULE = `be one of ${PERIODS.join(', ')}; or state the algorithm of a window`

const perPeriodMust = (limit: number, per: Period): string | undefined =>
  limit === 0 ? undefined : rateMust(limit / PERIOD_SECONDS[per])

const byPeriod = v.pipe(
  limitObject({
    ...commonFields,
    algorithm: tokenBucketName,
    limit: v.pipe(
      size,
      v.description('Capacity of a token bucket that refills within the period; 0: paused'),
    ),
    per: v.picklist(PERIODS, PER_RULE),
    schedule: limitSchedule,
  }),
  v.metadata({ ref: 'PerPeriodInput' }),
  checkedBy(
    (json) =>
      faultAt('limit', perPeriodMust(json.limit, json.per)) ??
      faultOfEntries(json.schedule, 'limit', ({ limit }) => perPeriodMust(limit, json.per)),
  ),
  v.transform((json) => {
    const sizeOf = ({ limit }: { readonly limit: number }): LimitSize =>
      bucketOf(limit, limit / PERIOD_SECONDS[json.per])
    return limitOf(json, sizeOf(json), entriesOf(json.schedule, sizeOf))
  }),
)

const isPerPeriod = (input: object): boolean =>
  ('per' in input && input.per !== undefined) || ('limit' in input && input.limit !== undefined)

const tokenBucket = {
  algorithm: 'token_bucket',
  forms: [byRate, byPeriod],
  formOf: (input) => (isPerPeriod(input) ? byPeriod : byRate),
  response: { refill_rate: v.exactOptional(v.pipe(v.number(), v.minValue(0), v.maxValue(MAX_RATE))) },
} as const satisfies SizeFormat

/** At most `limit` in any `window_seconds`. */
export interface SlidingWindowDefinition extends CommonFields {
  readonly algorithm: 'sliding_window'
  /** The most in any one window; 0: paused. */
  readonly limit: number
  readonly window_seconds: number
  /** The number of steps in which the window advances: 2 to 60. Default 30. */
  readonly slots?: number | undefined
  /** As responses contain it: the same as `limit`. */
  readonly capacity?: number | undefined
  /** Other limits at some times. */
  readonly schedule?: readonly LimitScheduleEntry[] | undefined
}

/** The `limit` of a window. */
export const windowLimit = v.pipe(size, v.description('The most in any one window; 0: paused'))

/** A limit may be sent as a response contains it, with `capacity` beside `limit`, if both are equal. */
const capacityFault = ({ limit, capacity }: { limit: number; capacity?: number | undefined }) =>
  faultAt(
    'capacity',
    capacity === undefined || capacity === limit ? undefined : 'be left out, or be the same as limit',
  )

const windowSeconds = integer(1, MAX_WINDOW_SECONDS)

const slots = v.pipe(
  integer(MIN_SLOTS, MAX_SLOTS),
  v.description(`The number of steps in which the window advances; default ${DEFAULT_SLOTS}`),
)

const anyWindow = v.pipe(
  limitObject({
    ...commonFields,
    algorithm: v.literal('sliding_window'),
    limit: windowLimit,
    window_seconds: windowSeconds,
    slots: v.optional(slots),
    capacity: v.optional(windowLimit),
    schedule: limitSchedule,
  }),
  v.metadata({ ref: 'SlidingWindowInput' }),
  checkedBy((json) => capacityFault(json)),
  v.transform((json) => {
    const { limit, window_seconds: windowSeconds, slots = DEFAULT_SLOTS } = json
    const size = { algorithm: 'sliding_window', limit, windowSeconds, slots } as const
    return limitOf(json, size, limitEntries(json.schedule, size))
  }),
)

const slidingWindow = {
  algorithm: 'sliding_window',
  forms: [anyWindow],
  formOf: () => anyWindow,
  response: { window_seconds: v.exactOptional(windowSeconds), slots: v.exactOptional(slots) },
} as const satisfies SizeFormat

/** At most `limit` in each minute, hour, day, week (from Monday on) or month of the calendar. */
export interface FixedWindowDefinition extends CommonFields {
  readonly algorithm: 'fixed_window'
  /** The most in any one window; 0: paused. */
  readonly limit: number
  readonly window: CalendarUnit
  /** A name of the IANA database, or a fixed offset such as `+02:00`. Default `UTC`. */
  readonly time_zone?: string | undefined
  /** As responses contain it: the same as `limit`. */
  readonly capacity?: number | undefined
  /** Other limits at some times. */
  readonly schedule?: readonly LimitScheduleEntry[] | undefined
}

/** At most `limit` in each window of `window_seconds`. A window begins with its first charge. */
export interface FirstUseWindowDefinition extends CommonFields {
  readonly algorithm: 'fixed_window'
  /** The most in any one window; 0: paused. */
  readonly limit: number
  readonly window: 'first_use'
  readonly window_seconds: number
  /** As responses contain it: the same as `limit`. */
  readonly capacity?: number | undefined
  /** Other limits at some times. */
  readonly schedule?: readonly LimitScheduleEntry[] | undefined
}

const WINDOWS = [...CALENDAR_UNITS, FIRST_USE] as const

const eachWindow = v.pipe(
  limitObject({
    ...commonFields,
    algorithm: v.literal('fixed_window'),
    limit: windowLimit,
    window: v.picklist(CALENDAR_UNITS, `be one of ${WINDOWS.join(', ')}`),
    time_zone: v.optional(v.pipe(timeZone, v.description('A name such as Europe/Berlin; default UTC'))),
    capacity: v.optional(windowLimit),
    schedule: limitSchedule,
  }),
  v.metadata({ ref: 'FixedWindowInput' }),
  checkedBy((json) => capacityFault(json)),
  v.transform((json) => {
    const { limit, window, time_zone: timeZone = 'UTC' } = json
    const size = { algorithm: 'fixed_window', limit, window, timeZone } as const
    return limitOf(json, size, limitEntries(json.schedule, size))
  }),
)

const fromFirstUse = v.pipe(
  limitObject({
    ...commonFields,
    algorithm: v.literal('fixed_window'),
    limit: windowLimit,
    window: v.pipe(v.literal(FIRST_USE), v.description('Each window begins with its first charge')),
    window_seconds: windowSeconds,
    capacity: v.optional(windowLimit),
    schedule: limitSchedule,
  }),
  v.metadata({ ref: 'FirstUseWindowInput' }),
  checkedBy((json) => capacityFault(json)),
  v.transform((json) => {
    const { limit, window, window_seconds: windowSeconds } = json
    const size = { algorithm: 'fixed_window', limit, window, windowSeconds } as const
    return limitOf(json, size, limitEntries(json.schedule, size))
  }),
)

const fixedWindow = {
  algorithm: 'fixed_window',
  forms: [eachWindow, fromFirstUse],
  formOf: (input) => ('window' in input && input.window === FIRST_USE ? fromFirstUse : eachWindow),
  response: {
    window: v.exactOptional(v.picklist(WINDOWS)),
    time_zone: v.exactOptional(v.string()),
  },
} as const satisfies SizeFormat

/**
 * At most `limit` requests in flight. A request holds a slot from its reservation until this is settled or released, and no longer
 * than the slot lasts, so a process that crashes leaves none behind. A check without a reservation requires a free slot and
 * takes none.
 */
export interface ConcurrencyDefinition extends CommonFields {
  readonly algorithm: 'concurrency'
  /** Requests in flight counts as requests, whatever they cost. */
  readonly meter?: 'requests' | undefined
  /** The most requests in flight, at most 200; 0: paused. */
  readonly limit: number
  /** How long a slot lasts that is neither released nor renewed, where the request states no time: 1 to 3600. Default 60. */
  readonly lease_seconds?: number | undefined
  /** As responses contain it: the same as `limit`. */
  readonly capacity?: number | undefined
  /** Other limits at some times. */
  readonly schedule?: readonly LimitScheduleEntry[] | undefined
}

const concurrencyLimit = v.pipe(
  integer(0, MAX_CONCURRENCY),
  v.description('The most requests in flight; 0: paused'),
)

const leaseSeconds = v.pipe(
  integer(1, MAX_SLOT_SECONDS),
  v.description(
    `How long a slot lasts that is neither released nor renewed; default ${DEFAULT_SLOT_SECONDS}`,
  ),
)

const inFlight = v.pipe(
  limitObject({
    ...commonFields,
    algorithm: v.literal('concurrency'),
    meter: v.optional(v.literal('requests', 'be requests, or be left out: it counts the requests in flight')),
    limit: concurrencyLimit,
    lease_seconds: v.optional(leaseSeconds),
    capacity: v.optional(concurrencyLimit),
    schedule: v.optional(scheduleOf({ limit: concurrencyLimit }, 'ConcurrencyScheduleEntry')),
  }),
  v.metadata({ ref: 'ConcurrencyInput' }),
  checkedBy((json) => capacityFault(json)),
  v.transform((json) => {
    const { limit, lease_seconds: leaseSeconds = DEFAULT_SLOT_SECONDS } = json
    const size = { algorithm: 'concurrency', limit, leaseSeconds } as const
    return limitOf(json, size, limitEntries(json.schedule, size))
  }),
)

const concurrency = {
  algorithm: 'concurrency',
  forms: [inFlight],
  formOf: () => inFlight,
  response: { lease_seconds: v.exactOptional(leaseSeconds) },
} as const satisfies SizeFormat

/** Every algorithm in JSON. Their arithmetic is in `core/bucket/registry.ts`. */
export const FORMATS = [tokenBucket, slidingWindow, fixedWindow, concurrency] as const

/** A limit as requests and apps define it. */
export type LimitDefinition =
  | TokenBucketDefinition
  | PerPeriodDefinition
  | SlidingWindowDefinition
  | FixedWindowDefinition
  | FirstUseWindowDefinition
  | ConcurrencyDefinition

export const limitList = createLimitList<(typeof FORMATS)[number]['forms'][number]>(FORMATS)

/** The size of a limit in a response, beside `capacity`. */
export const sizeResponse = {
  algorithm: v.picklist<readonly LimitSize['algorithm'][]>(ALGORITHMS),
  limit: v.exactOptional(windowLimit),
  ...tokenBucket.response,
  ...slidingWindow.response,
  ...fixedWindow.response,
  ...concurrency.response,
}
