import { invalid } from './errors.ts'
import {
  type Headroom,
  LIMIT_MODES,
  type Limit,
  MAX_LEASE_SECONDS,
  MAX_LIMITS,
  MAX_SLIDING_WINDOWS,
  MIN_LEASE_SECONDS,
  MIN_SHARE,
  ON_UNAVAILABLE,
} from './limit.ts'
import { isMeter, METERS, type Meter, meterOfName } from './meter.ts'
import { parseAlgorithm, parseSize, sizeFields, sizeToJson } from './parse-size.ts'

type Fields = Readonly<Record<string, unknown>>

const NAME = /^[a-z][a-z0-9_]{0,31}$/

/** Names that would collide with the counters beside the limits in a bucket. */
const RESERVED = /^(used|denied)(_|$)/

const KNOWN = [
  'name',
  'meter',
  'algorithm',
  'mode',
  'warn_at',
  'refund',
  'on_unavailable',
  'headroom',
  'lease_ttl_seconds',
]

const REFUNDS = ['strict', 'full'] as const

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
  const windows = limits.filter(({ size }) => size.algorithm === 'sliding_window')
  if (windows.length > MAX_SLIDING_WINDOWS) {
    throw invalid(field, `hold at most ${MAX_SLIDING_WINDOWS} limits of algorithm sliding_window`)
  }
  return limits
}

/** A limit as JSON, the form of requests, answers and stored items. `parseLimits` reads it back. */
export const limitToJson = (limit: Limit) => ({
  name: limit.name,
  meter: limit.meter,
  ...sizeToJson(limit.size),
  ...(limit.mode !== undefined && { mode: limit.mode }),
  ...(limit.warnAt !== undefined && { warn_at: limit.warnAt }),
  ...(limit.refund !== undefined && { refund: limit.refund }),
  ...(limit.onUnavailable !== undefined && { on_unavailable: limit.onUnavailable }),
  ...(limit.headroom !== undefined && { headroom: limit.headroom }),
  ...(limit.leaseTtlSeconds !== undefined && { lease_ttl_seconds: limit.leaseTtlSeconds }),
})

const parseLimit = (input: unknown, field: string): Limit => {
  if (!isFields(input)) throw invalid(field, 'be an object')
  const algorithm = parseAlgorithm(input.algorithm, `${field}.algorithm`)
  checkFields(input, [...KNOWN, ...sizeFields(algorithm, input)], field)
  const name = parseName(input.name, `${field}.name`)
  return {
    name,
    meter: parseMeter(input.meter, name, `${field}.meter`),
    size: parseSize(algorithm, input, field),
    ...parseRules(input, field),
  }
}

/** What a limit says beside its size; only what is there. */
const parseRules = (input: Fields, field: string): Omit<Limit, 'name' | 'meter' | 'size'> => {
  const mode = parseChoice(input.mode, LIMIT_MODES, `${field}.mode`)
  const warnAt = parseShare(input.warn_at, `${field}.warn_at`)
  const refund = parseChoice(input.refund, REFUNDS, `${field}.refund`)
  const onUnavailable = parseChoice(input.on_unavailable, ON_UNAVAILABLE, `${field}.on_unavailable`)
  const headroom = parseHeadroom(input.headroom, `${field}.headroom`)
  const leaseTtlSeconds = parseLeaseTtl(input.lease_ttl_seconds, `${field}.lease_ttl_seconds`)
  return {
    ...(mode !== undefined && { mode }),
    ...(warnAt !== undefined && { warnAt }),
    ...(refund !== undefined && { refund }),
    ...(onUnavailable !== undefined && { onUnavailable }),
    ...(headroom !== undefined && { headroom }),
    ...(leaseTtlSeconds !== undefined && { leaseTtlSeconds }),
  }
}

const parseLeaseTtl = (input: unknown, field: string): number | undefined => {
  if (input === undefined || input === 0) return input
  if (typeof input === 'number' && input >= MIN_LEASE_SECONDS && input <= MAX_LEASE_SECONDS) return input
  throw invalid(field, `be 0, or a number of seconds from ${MIN_LEASE_SECONDS} to ${MAX_LEASE_SECONDS}`)
}

/** Also refuses fields of another algorithm's size: they would be ignored. */
const checkFields = (input: Fields, known: readonly string[], field: string): void => {
  const unknown = Object.keys(input).find((key) => !known.includes(key))
  if (unknown !== undefined)
    throw invalid(`${field}.${unknown}`, `not be given; known fields are ${known.join(', ')}`)
}

const parseShare = (input: unknown, field: string): number | undefined => {
  if (input === undefined) return undefined
  if (typeof input === 'number' && input >= MIN_SHARE && input <= 1) return input
  throw invalid(field, `be a number from ${MIN_SHARE} to 1`)
}

const parseHeadroom = (input: unknown, field: string): Headroom | undefined => {
  if (input === undefined) return undefined
  if (!isFields(input)) throw invalid(field, 'be an object with normal, low or both')
  for (const [priority, share] of Object.entries(input)) {
    if (priority !== 'normal' && priority !== 'low') {
      throw invalid(`${field}.${priority}`, 'not be given; headroom is kept from normal and low priority')
    }
    if (!isShare(share))
      throw invalid(`${field}.${priority}`, `be 0, or a number from ${MIN_SHARE} up to, but not including, 1`)
  }
  const { normal, low } = input
  return { ...(isShare(normal) && { normal }), ...(isShare(low) && { low }) }
}

const isShare = (value: unknown): value is number =>
  typeof value === 'number' && (value === 0 || (value >= MIN_SHARE && value < 1))

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
  if (input === undefined) return meterOfName(name) ?? 'requests'
  if (isMeter(input)) return input
  throw invalid(field, `be one of ${METERS.join(', ')}`)
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
