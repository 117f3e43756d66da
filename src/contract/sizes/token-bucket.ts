import * as v from 'valibot'
import {
  MAX_RATE,
  MAX_WINDOW_SECONDS,
  PERIOD_SECONDS,
  PERIODS,
  type TokenBucketSize,
} from '../../core/model/limit.ts'
import { nsPerToken } from '../../core/model/time.ts'
import { checkedBy, type Fault } from '../containers.ts'
import { limitFields, limitObject, limitOf, size } from '../limit-fields.ts'
import type { SizeFormat } from './size-format.ts'

const algorithm = v.optional(v.literal('token_bucket'))

const RATE_RULE = 'be a positive number of tokens per second (0 only with capacity 0)'

/** Its bounds depend on the capacity and are checked with it. */
const refillRate = v.pipe(
  v.number(RATE_RULE),
  v.metadata({ minimum: 0, maximum: MAX_RATE }),
  v.description('Tokens refilled per second; 0 only with a capacity of 0'),
)

const capacity = v.pipe(size, v.description('Tokens the bucket holds; 0: paused'))

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

const bucketOf = (tokens: number, rate: number): TokenBucketSize => ({
  algorithm: 'token_bucket',
  capacity: tokens,
  refillRate: tokens === 0 ? 0 : rate,
})

/** `capacity` tokens, `refill_rate` more each second. A capacity of 0, rate 0, denies every request (paused). */
export const byRate = v.pipe(
  limitObject({
    ...limitFields,
    algorithm,
    /** Tokens the bucket holds. */
    capacity,
    /** Tokens refilled per second. */
    refill_rate: refillRate,
  }),
  checkedBy((json) => faultAt('refill_rate', refillMust(json.capacity, json.refill_rate))),
  v.transform((json) => limitOf(json, bucketOf(json.capacity, json.refill_rate))),
)

const PER_RULE = `be one of ${PERIODS.join(', ')}; or state the algorithm of a window`

/** Short for a token bucket: `limit` tokens, refilled within the period. A limit of 0 denies every request. */
export const byPeriod = v.pipe(
  limitObject({
    ...limitFields,
    algorithm,
    /** Tokens the bucket holds. */
    limit: v.pipe(
      size,
      v.description('Capacity of a token bucket that refills within the period; 0: paused'),
    ),
    /** The period in which it refills. */
    per: v.picklist(PERIODS, PER_RULE),
  }),
  checkedBy((json) =>
    faultAt('limit', json.limit === 0 ? undefined : rateMust(json.limit / PERIOD_SECONDS[json.per])),
  ),
  v.transform((json) => limitOf(json, bucketOf(json.limit, json.limit / PERIOD_SECONDS[json.per]))),
)

const isPerPeriod = (input: object): boolean =>
  ('per' in input && input.per !== undefined) || ('limit' in input && input.limit !== undefined)

/** Both forms of a token bucket in JSON. */
export const tokenBucketFormat = {
  algorithm: 'token_bucket',
  forms: [byRate, byPeriod],
  formOf: (input) => (isPerPeriod(input) ? byPeriod : byRate),
} as const satisfies SizeFormat

/** How responses show the size. */
export const tokenBucketResponse = {
  refill_rate: v.exactOptional(v.pipe(v.number(), v.minValue(0), v.maxValue(MAX_RATE))),
}
