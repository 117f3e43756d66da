import type { Limit } from '../api/answers.ts'
import { numberText } from '../parts/numbers/number-text.ts'
import type { LimitInput } from './limit-draft.ts'
import { perPeriod } from './refill.ts'

type Size = Limit | LimitInput

/** How much, as people say it: `10, refilled 10 per minute`, `1,000 in any 1 h`, `100 per day (UTC)`. */
export const sizeText = (limit: Size): string => {
  const { algorithm, window_seconds: seconds = 0, window = 'day', time_zone = 'UTC' } = limit
  const most = numberText(limit.limit ?? limit.capacity ?? 0)
  switch (algorithm) {
    case 'sliding_window':
      return `${most} in any ${windowText(seconds)}`
    case 'fixed_window':
      return `${most} per ${window} (${time_zone})`
    default:
      return `${most}, refilled ${refillText(limit.refill_rate ?? 0)}`
  }
}

/** `10 per minute` */
export const refillText = (rate: number): string => {
  const { amount, period } = perPeriod(rate)
  return `${RATE.format(amount)} per ${period}`
}

const UNITS = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
] as const

/** A span to the second, in the largest unit that it is a whole number of: `90 min`. */
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
  cost_usd_micros: 'cost (millionths of a US dollar)',
}

export const ALGORITHM_NAMES: Readonly<Record<Limit['algorithm'], string>> = {
  token_bucket: 'Token bucket',
  sliding_window: 'Sliding window',
  fixed_window: 'Fixed window',
}

/** What names mean by themselves. */
const USUAL_METERS: Readonly<Record<string, Limit['meter']>> = {
  rps: 'requests',
  rpm: 'requests',
  rph: 'requests',
  rpd: 'requests',
  tpm: 'tokens',
  tph: 'tokens',
  tpd: 'tokens',
  itpm: 'input_tokens',
  otpm: 'output_tokens',
}

/** The id of the list that suggests names. */
export const NAMES_ID = 'usual-limit-names'

export const USUAL_NAMES: readonly string[] = Object.keys(USUAL_METERS)

/** What a limit of this name counts where it does not say; undefined: it must say. */
export const meterOfName = (name: string): Limit['meter'] | undefined =>
  Object.hasOwn(USUAL_METERS, name) ? USUAL_METERS[name] : undefined

/** What a limit counts, in words. */
export const meterText = ({ meter, name }: Pick<LimitInput, 'name' | 'meter'>): string => {
  const counted = meter ?? meterOfName(name)
  return counted === undefined ? 'not said' : METER_NAMES[counted]
}

/** Where a limit was set, in words: `system default for gpt-4`. */
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
      return 'default of the environment'
    default:
      return source
  }
}

const resourceText = (source: string, from: number): string => source.split(':').slice(from).join(':')

const forResource = (resource: string): string =>
  resource === '_default_' || resource === '' ? '' : ` for ${resource}`
