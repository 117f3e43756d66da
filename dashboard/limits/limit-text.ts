import { PERIOD_SECONDS, type Period } from '../../src/core/model/limit.ts'
import { meterOfName, USUAL_METERS } from '../../src/core/model/meter.ts'
import type { Limit } from '../api/responses.ts'
import { amountText, isMoney, numberText } from '../parts/amounts.ts'

/** A limit in a request: the fields of a response without those that only responses have. */
export type LimitInput = Pick<Limit, 'name' | 'algorithm'> &
  Partial<Omit<Limit, 'name' | 'algorithm' | 'source' | 'schedule_state'>>

/** `10 per minute`, `$0.06 per minute` */
export const refillText = (rate: number, meter?: Limit['meter']): string => {
  const { amount, period } = perPeriod(rate)
  return `${isMoney(meter) ? amountText(meter, amount) : RATE.format(amount)} per ${period}`
}

const UNITS = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
] as const

/** An exact duration, in the largest unit that divides it: `90 min`. */
export const windowText = (seconds: number): string => {
  const [unit, name] = UNITS.find(([unit]) => seconds > 0 && seconds % unit === 0) ?? [1, 's']
  return `${numberText(seconds / unit)} ${name}`
}

const RATE = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 12 })

export const METER_NAMES: Readonly<Record<Limit['meter'], string>> = {
  requests: 'requests',
  tokens: 'tokens',
  input_tokens: 'input tokens',
  output_tokens: 'output tokens',
  cost_usd_micros: 'cost (USD)',
}

/**
 * The effect of a limit of 0, by its meter and mode: `denies every request that costs tokens`. It denies only requests
 * whose cost includes its meter; `meter` is undefined if it is not known.
 */
export const pausedText = (meter: Limit['meter'] | undefined, mode = 'enforce'): string => {
  // A form has '' for the default mode.
  if (mode !== 'enforce' && mode !== '') return `denies nothing because its mode is ${mode}`
  if (meter === undefined) return 'denies every request that it counts'
  if (meter === 'requests') return 'denies every counted request'
  return `denies every request that costs ${isMoney(meter) ? 'money' : METER_NAMES[meter]}`
}

/** The id of the `datalist` of usual names. */
export const NAMES_ID = 'usual-limit-names'

export const USUAL_NAMES: readonly string[] = Object.keys(USUAL_METERS)

/** The meter of a limit: its own, that of its name, or else requests. */
export const meterOf = ({ meter, name }: Pick<LimitInput, 'name' | 'meter'>): Limit['meter'] =>
  meter ?? meterOfName(name) ?? 'requests'

/** The meter of a limit in words. */
export const meterText = (limit: Pick<LimitInput, 'name' | 'meter'>): string => METER_NAMES[meterOf(limit)]

/** The source of a limit in words: `system default for gpt-4`. */
export const sourceText = (source: string): string => {
  const [kind = '', first = '', ...rest] = source.split(':')
  switch (kind) {
    case 'entity':
      return first === '_default_' ? 'set for every resource' : `set for ${resourceText(source, 1)}`
    case 'role':
      return `role ${first}${forResource(rest.join(':'))}`
    case 'system':
      return `system default${forResource(resourceText(source, 1))}`
    case 'policy':
      return `policy ${first} ${rest.join(':')}`
    case 'environment':
      return 'environment default'
    default:
      return source
  }
}

const resourceText = (source: string, from: number): string => source.split(':').slice(from).join(':')

const forResource = (resource: string): string =>
  resource === '_default_' || resource === '' ? '' : ` for ${resource}`

/** Most limits are stated per minute. */
const TRIED: readonly Period[] = ['minute', 'second', 'hour', 'day']

/** A rate per second, converted to the first period in which it is a whole number, or else per second. */
export const perPeriod = (rate: number): { readonly amount: number; readonly period: Period } => {
  for (const period of TRIED) {
    const amount = rate * PERIOD_SECONDS[period]
    const whole = Math.round(amount)
    if (whole > 0 && Math.abs(amount - whole) <= whole * 1e-9) return { amount: whole, period }
  }
  return { amount: rate, period: 'second' }
}
