import type { Limit } from '../api/responses.ts'

const numbers = new Intl.NumberFormat('en-US')

/** A whole number with its thousands apart. */
export const numberText = (value: number): string => numbers.format(value)

/** What a limit counts. */
export type Meter = Limit['meter']

export const MICROS_PER_DOLLAR = 1_000_000

/** Amounts of this meter are micro-dollars in JSON, and dollars everywhere on the page. */
export const isMoney = (meter: string | undefined): boolean => meter === 'cost_usd_micros'

/** An amount of a meter, whole: `5,000,000,000`, or `$5,000` where it is money. */
export const amountText = (meter: string | undefined, amount: number): string =>
  isMoney(meter) ? microsText(amount) : numberText(amount)

/** Whole amounts from here on have no cents. */
const LARGE_DOLLARS = 1000

/** Micro-dollars as dollars: `$0.0123`, `$5.00`, `$5,000`. */
const microsText = (micros: number): string => {
  const isWholeAndLarge = micros % MICROS_PER_DOLLAR === 0 && micros >= LARGE_DOLLARS * MICROS_PER_DOLLAR
  return (isWholeAndLarge ? WHOLE_DOLLARS : DOLLARS).format(dollarsOf(micros))
}

/** Micro-dollars as a decimal number of dollars: to the last digit, which a division of large amounts loses. */
export const dollarsOf = (micros: number): Intl.StringNumericLiteral => {
  if (!Number.isSafeInteger(micros) || micros < 0) return `${micros / MICROS_PER_DOLLAR}`
  const decimals = String(micros % MICROS_PER_DOLLAR)
    .padStart(6, '0')
    .replace(/0+$/, '')
  const whole = Math.floor(micros / MICROS_PER_DOLLAR)
  return decimals === '' ? `${whole}` : (`${whole}.${decimals}` as Intl.StringNumericLiteral)
}

const currency = { style: 'currency', currency: 'USD' } as const
const DOLLARS = new Intl.NumberFormat('en-US', { ...currency, maximumFractionDigits: 6 })
const WHOLE_DOLLARS = new Intl.NumberFormat('en-US', { ...currency, maximumFractionDigits: 0 })
