import {
  ALGORITHMS,
  CALENDAR_UNITS,
  LIMIT_MODES,
  ON_UNAVAILABLE,
  PERIOD_SECONDS,
  type Period,
  REFUNDS,
} from '../../src/core/model/limit.ts'
import { METERS } from '../../src/core/model/meter.ts'
import type { Limit } from '../api/responses.ts'
import { dollarsOf, isMoney, MICROS_PER_DOLLAR } from '../parts/amounts.ts'
import { isPeriod, type LimitInput, meterOf, perPeriod } from './limit-text.ts'

/** The state of the form of one limit; an empty text is a field that is not set. */
export interface LimitDraft {
  /** Identifies the limit while it is edited. */
  readonly key: number
  /** The limit before; undefined for a new one. */
  readonly original: Limit | undefined
  readonly name: string
  readonly meter: string
  readonly algorithm: string
  /** The capacity, or the limit of a window; in US dollars for a budget. */
  readonly amount: string
  /** The refill per `refillPer`; in US dollars for a budget. */
  readonly refill: string
  readonly refillPer: Period
  readonly windowSeconds: string
  readonly slots: string
  readonly window: string
  readonly timeZone: string
  readonly mode: string
  readonly warnAt: string
  readonly refund: string
  readonly onUnavailable: string
  readonly leaseTtlSeconds: string
  readonly headroomNormal: string
  readonly headroomLow: string
}

/** The fields that a draft covers; other fields of a limit are kept as they are. */
const SHOWN: readonly string[] = [
  'name',
  'meter',
  'algorithm',
  'capacity',
  'refill_rate',
  'limit',
  'per',
  'window_seconds',
  'slots',
  'window',
  'time_zone',
  'mode',
  'warn_at',
  'refund',
  'on_unavailable',
  'lease_ttl_seconds',
  'headroom',
  'source',
]

const text = (value: string | number | undefined): string => (value === undefined ? '' : String(value))

/** The draft of a new limit. */
export const newDraft = (key: number): LimitDraft => ({
  key,
  original: undefined,
  name: '',
  meter: '',
  algorithm: 'token_bucket',
  amount: '',
  refill: '',
  refillPer: 'minute',
  windowSeconds: '3600',
  slots: '',
  window: 'day',
  timeZone: '',
  mode: '',
  warnAt: '',
  refund: '',
  onUnavailable: '',
  leaseTtlSeconds: '',
  headroomNormal: '',
  headroomLow: '',
})

export const draftOf = (limit: Limit, key: number): LimitDraft => ({
  ...newDraft(key),
  original: limit,
  name: limit.name,
  meter: limit.meter,
  algorithm: limit.algorithm,
  amount: sizeTextOf(limit),
  ...refillOf(limit),
  ...windowOf(limit),
  mode: limit.mode === 'enforce' ? '' : text(limit.mode),
  warnAt: text(limit.warn_at),
  refund: limit.refund === 'strict' ? '' : text(limit.refund),
  onUnavailable: text(limit.on_unavailable),
  leaseTtlSeconds: text(limit.lease_ttl_seconds),
  headroomNormal: text(limit.headroom?.normal),
  headroomLow: text(limit.headroom?.low),
})

const sizeTextOf = ({ capacity, meter }: Limit): string => unitText(capacity, meter)

const refillOf = ({ refill_rate: rate, meter }: Limit): Partial<LimitDraft> => {
  // A paused limit has no rate to keep: one is required before its size can be above 0.
  if (rate === undefined || rate === 0) return {}
  const { amount, period } = perPeriod(rate)
  return { refill: unitText(amount, meter), refillPer: period }
}

/** An amount in the unit of the form: money in dollars. */
const unitText = (amount: number, meter: string): string =>
  isMoney(meter) ? dollarsOf(amount) : text(amount)

/** Units of the API's meter per unit of the form. */
const unitOf = (meter: string): number => (isMoney(meter) ? MICROS_PER_DOLLAR : 1)

/** The meter of a draft: the chosen one, or else that of its name. */
export const draftMeter = ({ name, meter }: Pick<LimitDraft, 'name' | 'meter'>): Limit['meter'] =>
  oneOf(METERS, meter) ?? meterOf({ name: name.trim() })

const windowOf = ({ window_seconds, slots, window, time_zone }: Limit): Partial<LimitDraft> => ({
  ...(window_seconds !== undefined && { windowSeconds: text(window_seconds) }),
  ...(slots !== undefined && { slots: text(slots) }),
  ...(window !== undefined && { window }),
  ...(time_zone !== undefined && { timeZone: time_zone }),
})

/**
 * The limit of a draft, with the fields that a draft does not cover as they were. Invalid numbers are left
 * out.
 */
export const limitOf = (draft: LimitDraft): LimitInput => {
  const kept = Object.entries(draft.original ?? {}).filter(([name]) => !SHOWN.includes(name))
  const headroom = given({ normal: number(draft.headroomNormal), low: number(draft.headroomLow) })
  return {
    ...Object.fromEntries(kept),
    name: draft.name.trim(),
    algorithm: oneOf(ALGORITHMS, draft.algorithm) ?? 'token_bucket',
    ...sizeOf(draft),
    ...given({
      meter: oneOf(METERS, draft.meter),
      mode: oneOf(LIMIT_MODES, draft.mode),
      warn_at: number(draft.warnAt),
      refund: oneOf(REFUNDS, draft.refund),
      on_unavailable: oneOf(ON_UNAVAILABLE, draft.onUnavailable),
      lease_ttl_seconds: number(draft.leaseTtlSeconds),
      headroom: Object.keys(headroom).length === 0 ? undefined : headroom,
    }),
  }
}

const sizeOf = (draft: LimitDraft): Partial<LimitInput> => {
  const size = sizeIn(draft)
  switch (draft.algorithm) {
    case 'sliding_window':
      return given({
        limit: size,
        window_seconds: number(draft.windowSeconds),
        slots: number(draft.slots),
      })
    case 'fixed_window':
      return given({
        limit: size,
        window: oneOf(CALENDAR_UNITS, draft.window),
        time_zone: draft.timeZone.trim() || undefined,
      })
    default:
      return given({ capacity: size, refill_rate: isPausedDraft(draft) ? 0 : refillRateOf(draft) })
  }
}

/**
 * In units of the meter: dollars have up to six decimals. A size that was not edited keeps its exact value.
 */
const sizeIn = (draft: LimitDraft): number | undefined => {
  const { original, amount } = draft
  const meter = draftMeter(draft)
  if (original?.meter === meter && amount === sizeTextOf(original)) return original.capacity
  const typed = number(amount)
  return typed === undefined || !isMoney(meter) ? typed : Math.round(typed * MICROS_PER_DOLLAR)
}

/** Whether the size is 0: the limit denies every request that it counts, and nothing refills. */
export const isPausedDraft = ({ amount }: Pick<LimitDraft, 'amount'>): boolean => number(amount) === 0

/** Units of the meter per second. A rate that was not edited keeps its exact value. */
export const refillRateOf = (draft: LimitDraft): number | undefined => {
  const { original, refill, refillPer } = draft
  const meter = draftMeter(draft)
  const before = original && refillOf(original)
  if (before?.refill === refill && before.refillPer === refillPer && original?.meter === meter)
    return original.refill_rate
  const amount = number(refill)
  return amount === undefined ? undefined : (amount * unitOf(meter)) / PERIOD_SECONDS[refillPer]
}

/** `draft` with another period; the number stays. */
export const withPeriod = (draft: LimitDraft, period: string): LimitDraft =>
  isPeriod(period) ? { ...draft, refillPer: period } : draft

const number = (typed: string): number | undefined =>
  typed.trim() === '' || Number.isNaN(Number(typed)) ? undefined : Number(typed)

const oneOf = <T extends string>(choices: readonly T[], value: string): T | undefined =>
  choices.find((choice) => choice === value)

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

const given = <T extends object>(fields: T): Given<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>
