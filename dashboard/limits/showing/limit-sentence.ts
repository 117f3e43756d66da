import type { Limit } from '../../api/answers.ts'
import { amountText, isMoney } from '../../parts/numbers/amount-text.ts'
import { METER_NAMES, sizeText } from '../limit-text.ts'

type Sized = Pick<
  Limit,
  | 'name'
  | 'meter'
  | 'algorithm'
  | 'capacity'
  | 'refill_rate'
  | 'limit'
  | 'window_seconds'
  | 'window'
  | 'time_zone'
>

/**
 * The size of a limit with what it counts: `60 requests, refilled 60 per minute`, `50 requests in any 1 h`,
 * `$5.00 per day (UTC)`, `paused`.
 */
export const limitSentence = (limit: Sized): string => sizeText(limit, countedText)

const countedText = (meter: Limit['meter'], amount: number): string => {
  const text = amountText(meter, amount)
  if (isMoney(meter)) return text
  return `${text} ${amount === 1 ? METER_NAMES[meter].replace(/s$/, '') : METER_NAMES[meter]}`
}
