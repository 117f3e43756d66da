import type { Limit } from '../../api/answers.ts'
import { numberText } from '../../parts/numbers/number-text.ts'
import { METER_NAMES, windowText } from '../limit-text.ts'
import { perPeriod } from '../refill.ts'

type Sized = Pick<
  Limit,
  'meter' | 'algorithm' | 'capacity' | 'refill_rate' | 'limit' | 'window_seconds' | 'window' | 'time_zone'
>

/**
 * A limit and what it counts in one go: `60 requests, refilled 60 per minute`, `50 requests in any 1 h`,
 * `$5.00 per day (UTC)`.
 */
export const limitSentence = (limit: Sized): string => {
  const { meter, algorithm, window = 'day', window_seconds: seconds = 0, time_zone = 'UTC' } = limit
  const most = countedText(meter, limit.limit ?? limit.capacity)
  switch (algorithm) {
    case 'sliding_window':
      return `${most} in any ${windowText(seconds)}`
    case 'fixed_window':
      return `${most} per ${window} (${time_zone})`
    default: {
      const { amount, period } = perPeriod(limit.refill_rate ?? 0)
      return `${most}, refilled ${amountText(meter, amount)} per ${period}`
    }
  }
}

const MICROS = 1_000_000
const RATE = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 6 })
const DOLLARS = new Intl.NumberFormat('en-US', {
  style: 'currency',
  currency: 'USD',
  maximumFractionDigits: 6,
})

const countedText = (meter: Limit['meter'], amount: number): string => {
  if (meter === 'cost_usd_micros') return DOLLARS.format(amount / MICROS)
  return `${numberText(amount)} ${amount === 1 ? METER_NAMES[meter].replace(/s$/, '') : METER_NAMES[meter]}`
}

const amountText = (meter: Limit['meter'], amount: number): string =>
  meter === 'cost_usd_micros' ? DOLLARS.format(amount / MICROS) : RATE.format(amount)
