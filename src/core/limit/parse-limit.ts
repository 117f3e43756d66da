import { nsPerToken } from '../algorithms/integers.ts'
import { invalid } from '../errors.ts'
import { type Limit, type LimitSize, MAX_LIMITS, type OnUnavailable } from './limit.ts'
import { isMeter, METERS, type Meter, meterOfName } from './meter.ts'

type Fields = Readonly<Record<string, unknown>>

const NAME = /^[a-z][a-z0-9_]{0,31}$/
/** Names that would collide with the counters beside the limits in a bucket. */
const RESERVED = /^(used|denied)(_|$)/
const KNOWN = ['name', 'meter', 'algorithm', 'capacity', 'refill_rate', 'refund', 'on_unavailable']
const REFUNDS = ['strict', 'full'] as const
const ON_UNAVAILABLE = ['allow', 'deny', 'local'] as const
/** A bucket that needs longer to fill than this is a mistake, and its times would leave sensible numbers. */
const LONGEST_FILL_SECONDS = 100 * 366 * 86_400

/**
 * Limits from untrusted JSON (`{name, meter?, capacity, refill_rate, …}`), as requests and stored items hold them.
 * Throws `ZaelError('invalid_request')` that names the field (`limits[0].capacity`) and what it must be.
 */
export const parseLimits = (input: unknown, field: string): readonly Limit[] => {
  if (!Array.isArray(input)) throw invalid(field, 'be a list of limits')
  if (input.length > MAX_LIMITS) throw invalid(field, `hold at most ${MAX_LIMITS} limits`)
  const limits = input.map((entry: unknown, index) => parseLimit(entry, `${field}[${index}]`))
  limits.forEach((limit, index) => {
    const isRepeated = limits.findIndex(({ name }) => name === limit.name) < index
    if (isRepeated) throw invalid(`${field}[${index}].name`, `be unique; ${limit.name} is already there`)
  })
  return limits
}

/** A limit as JSON, the form of requests, answers and stored items. `parseLimits` reads it back. */
export const limitToJson = (limit: Limit) => ({
  name: limit.name,
  meter: limit.meter,
  algorithm: limit.size.algorithm,
  capacity: limit.size.capacity,
  refill_rate: limit.size.refillRate,
  ...(limit.refund !== undefined && { refund: limit.refund }),
  ...(limit.onUnavailable !== undefined && { on_unavailable: limit.onUnavailable }),
})

const parseLimit = (input: unknown, field: string): Limit => {
  if (!isFields(input)) throw invalid(field, 'be an object')
  const unknown = Object.keys(input).find((key) => !KNOWN.includes(key))
  if (unknown !== undefined)
    throw invalid(`${field}.${unknown}`, `not be given; known fields are ${KNOWN.join(', ')}`)
  const name = parseName(input.name, `${field}.name`)
  const refund = parseChoice(input.refund, REFUNDS, `${field}.refund`)
  const onUnavailable: OnUnavailable | undefined = parseChoice(
    input.on_unavailable,
    ON_UNAVAILABLE,
    `${field}.on_unavailable`,
  )
  return {
    name,
    meter: parseMeter(input.meter, name, `${field}.meter`),
    size: parseSize(input, field),
    ...(refund !== undefined && { refund }),
    ...(onUnavailable !== undefined && { onUnavailable }),
  }
}

const isFields = (input: unknown): input is Fields =>
  typeof input === 'object' && input !== null && !Array.isArray(input)

const parseName = (input: unknown, field: string): string => {
  if (typeof input !== 'string' || !NAME.test(input)) {
    throw invalid(field, 'be 1 to 32 of a-z 0-9 _ and begin with a letter')
  }
  if (RESERVED.test(input)) throw invalid(field, 'not be used or denied, nor begin with used_ or denied_')
  return input
}

const parseMeter = (input: unknown, name: string, field: string): Meter => {
  const meter = input ?? meterOfName(name)
  if (isMeter(meter)) return meter
  throw invalid(
    field,
    `be one of ${METERS.join(', ')}${input === undefined ? `, as ${name} is no usual name` : ''}`,
  )
}

const parseChoice = <T extends string>(
  input: unknown,
  choices: readonly T[],
  field: string,
): T | undefined => {
  if (input === undefined) return undefined
  const choice = choices.find((known) => known === input)
  if (choice === undefined) throw invalid(field, `be one of ${choices.join(', ')}`)
  return choice
}

const parseSize = (input: Fields, field: string): LimitSize => {
  if (input.algorithm !== undefined && input.algorithm !== 'token_bucket') {
    throw invalid(`${field}.algorithm`, 'be one of token_bucket')
  }
  const capacity = parseCapacity(input.capacity, `${field}.capacity`)
  const refillRate = parseRate(input.refill_rate, `${field}.refill_rate`)
  if (capacity / refillRate > LONGEST_FILL_SECONDS) {
    throw invalid(`${field}.refill_rate`, 'fill the capacity within 100 years')
  }
  return { algorithm: 'token_bucket', capacity, refillRate }
}

const parseCapacity = (input: unknown, field: string): number => {
  if (typeof input === 'number' && Number.isSafeInteger(input) && input > 0) return input
  throw invalid(field, `be a positive integer of at most ${Number.MAX_SAFE_INTEGER}`)
}

const parseRate = (input: unknown, field: string): number => {
  if (typeof input !== 'number' || !Number.isFinite(input) || input <= 0) {
    throw invalid(field, 'be a positive number of tokens per second')
  }
  if (Math.abs((Number(nsPerTokenOf(input, field)) * input) / 1e9 - 1) > 0.001) {
    throw invalid(field, 'be a rate that whole nanoseconds per token meet to 0.1 %')
  }
  return input
}

const nsPerTokenOf = (rate: number, field: string): bigint => {
  if (rate > 1e9 || rate < 1 / LONGEST_FILL_SECONDS) {
    throw invalid(field, 'lie between one token in 100 years and 1000000000 a second')
  }
  return nsPerToken(rate)
}
