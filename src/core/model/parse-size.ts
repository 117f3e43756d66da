import { CALENDAR_UNITS, isCalendarUnit, isTimeZone } from './calendar.ts'
import { invalid } from './errors.ts'
import {
  DEFAULT_SLOTS,
  type FixedWindowSize,
  type LimitSize,
  MAX_SLOTS,
  type SlidingWindowSize,
  type TokenBucketSize,
} from './limit.ts'
import { nsPerToken } from './time.ts'

type Fields = Readonly<Record<string, unknown>>

type AlgorithmName = LimitSize['algorithm']

/** The periods of `{limit, per}`, in seconds. */
const PERIODS = { second: 1, minute: 60, hour: 3600, day: 86_400 } as const

export const PERIOD_NAMES = ['second', 'minute', 'hour', 'day'] as const

export type Period = (typeof PERIOD_NAMES)[number]

/** Fields of a size in JSON, by algorithm. */
const SIZE_FIELDS: Readonly<Record<AlgorithmName, readonly string[]>> = {
  token_bucket: ['capacity', 'refill_rate'],
  sliding_window: ['limit', 'capacity', 'window_seconds', 'slots'],
  fixed_window: ['limit', 'capacity', 'window', 'time_zone'],
}

export const ALGORITHM_NAMES = ['token_bucket', 'sliding_window', 'fixed_window'] as const

/** A bucket that needs longer to fill, or a window that is longer, is a mistake, and its times would leave sensible numbers. */
export const LONGEST_SECONDS = 100 * 366 * 86_400

/** Tokens per second: one each nanosecond, the unit of time. */
const HIGHEST_RATE = 1_000_000_000

/** The algorithm of a limit in JSON; without one it is a token bucket. Throws `ZaelError('invalid_request')`. */
export const parseAlgorithm = (input: unknown, field: string): AlgorithmName => {
  const name = ALGORITHM_NAMES.find((known) => known === (input === undefined ? 'token_bucket' : input))
  if (name === undefined) throw invalid(field, `be one of ${ALGORITHM_NAMES.join(', ')}`)
  return name
}

/** The fields that give the size of a limit in JSON. */
export const sizeFields = (algorithm: AlgorithmName, input: Fields): readonly string[] =>
  algorithm === 'token_bucket' && isPerPeriod(input) ? ['limit', 'per'] : SIZE_FIELDS[algorithm]

/** `{limit, per}`: short for a token bucket of that capacity, refilled within that time. */
const isPerPeriod = (input: Fields): boolean => input.per !== undefined || input.limit !== undefined

/** The size of a limit in JSON. Throws `ZaelError('invalid_request')` that names the field and what it must be. */
export const parseSize = (algorithm: AlgorithmName, input: Fields, field: string): LimitSize => {
  switch (algorithm) {
    case 'token_bucket':
      return tokenBucket(input, field)
    case 'sliding_window':
      return slidingWindow(input, field)
    case 'fixed_window':
      return fixedWindow(input, field)
  }
}

/** A size as JSON. Windows also tell their limit as `capacity`, as answers do; `parseSize` does not mind. */
export const sizeToJson = (size: LimitSize) => {
  switch (size.algorithm) {
    case 'token_bucket':
      return { algorithm: size.algorithm, capacity: size.capacity, refill_rate: size.refillRate }
    case 'sliding_window': {
      const { algorithm, limit, windowSeconds, slots } = size
      return { algorithm, limit, capacity: limit, window_seconds: windowSeconds, slots }
    }
    case 'fixed_window': {
      const { algorithm, limit, window, timeZone } = size
      return { algorithm, limit, capacity: limit, window, time_zone: timeZone }
    }
  }
}

const tokenBucket = (input: Fields, field: string): TokenBucketSize => {
  if (isPerPeriod(input)) return perPeriod(input, field)
  const capacity = parseCount(input.capacity, `${field}.capacity`)
  if (capacity === 0) return paused(input.refill_rate, `${field}.refill_rate`)
  const refillRate = parseRate(input.refill_rate, `${field}.refill_rate`)
  if (capacity / refillRate > LONGEST_SECONDS) {
    throw invalid(`${field}.refill_rate`, 'fill the capacity within 100 years')
  }
  return { algorithm: 'token_bucket', capacity, refillRate }
}

const perPeriod = (input: Fields, field: string): TokenBucketSize => {
  if (!isPeriod(input.per)) {
    throw invalid(`${field}.per`, `be one of ${PERIOD_NAMES.join(', ')}; or state the algorithm of a window`)
  }
  const capacity = parseCount(input.limit, `${field}.limit`)
  if (capacity === 0) return PAUSED
  const refillRate = parseRate(capacity / PERIODS[input.per], `${field}.limit`)
  return { algorithm: 'token_bucket', capacity, refillRate }
}

const isPeriod = (value: unknown): value is Period => PERIOD_NAMES.some((period) => period === value)

const PAUSED: TokenBucketSize = { algorithm: 'token_bucket', capacity: 0, refillRate: 0 }

/** A capacity of 0 has no rate; one that is left beside it is not kept. */
const paused = (rate: unknown, field: string): TokenBucketSize => {
  if (typeof rate === 'number' && rate >= 0 && rate <= HIGHEST_RATE) return PAUSED
  throw invalid(field, 'be 0, as the capacity is 0')
}

const slidingWindow = (input: Fields, field: string): SlidingWindowSize => {
  const limit = parseWindowLimit(input, field)
  const windowSeconds = parseCount(input.window_seconds, `${field}.window_seconds`, LONGEST_SECONDS, 1)
  const slots = parseCount(
    input.slots === undefined ? DEFAULT_SLOTS : input.slots,
    `${field}.slots`,
    MAX_SLOTS,
    2,
  )
  return { algorithm: 'sliding_window', limit, windowSeconds, slots }
}

const fixedWindow = (input: Fields, field: string): FixedWindowSize => {
  const limit = parseWindowLimit(input, field)
  const { window, time_zone: timeZone = 'UTC' } = input
  if (!isCalendarUnit(window)) throw invalid(`${field}.window`, `be one of ${CALENDAR_UNITS.join(', ')}`)
  if (typeof timeZone !== 'string' || !isTimeZone(timeZone)) {
    throw invalid(`${field}.time_zone`, 'be a time zone such as UTC, Europe/Berlin or +02:00')
  }
  return { algorithm: 'fixed_window', limit, window, timeZone }
}

/** What answers say may be put again: `capacity` beside `limit`, where both are the same. */
const parseWindowLimit = (input: Fields, field: string): number => {
  const limit = parseCount(input.limit, `${field}.limit`)
  if (input.capacity !== undefined && input.capacity !== limit) {
    throw invalid(`${field}.capacity`, 'be left out, or be the same as limit')
  }
  return limit
}

const parseCount = (
  input: unknown,
  field: string,
  greatest: number = Number.MAX_SAFE_INTEGER,
  least = 0,
): number => {
  if (typeof input === 'number' && Number.isSafeInteger(input) && input >= least && input <= greatest)
    return input
  throw invalid(field, `be an integer from ${least} to ${greatest}`)
}

const parseRate = (input: unknown, field: string): number => {
  if (typeof input !== 'number' || !Number.isFinite(input) || input <= 0) {
    throw invalid(field, 'be a positive number of tokens per second (0 only with capacity 0)')
  }
  if (Math.abs((Number(nsPerTokenOf(input, field)) * input) / 1e9 - 1) > 0.001) {
    throw invalid(field, 'be a rate that whole nanoseconds per token meet to 0.1 %')
  }
  return input
}

const nsPerTokenOf = (rate: number, field: string): bigint => {
  if (rate > HIGHEST_RATE || rate < 1 / LONGEST_SECONDS) {
    throw invalid(field, `lie between one token in 100 years and ${HIGHEST_RATE} a second`)
  }
  return nsPerToken(rate)
}
