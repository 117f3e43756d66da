import type { Limit } from '../api/responses.ts'

const numbers = new Intl.NumberFormat('en-US')

/** A whole number with thousands separators. */
export const numberText = (value: number): string => numbers.format(value)

/** The unit that a limit counts. */
export type Meter = Limit['meter']

export const MICROS_PER_DOLLAR = 1_000_000

/** Whether amounts of a meter are micro-dollars in JSON, and therefore dollars in the dashboard. */
export const isMoney = (meter: string | undefined): boolean => meter === 'cost_usd_micros'

/** An amount of a meter: `5,000,000,000`, or `$5,000` for money. */
export const amountText = (meter: string | undefined, amount: number): string =>
  isMoney(meter) ? microsText(amount) : numberText(amount)

/** Dollars: `$2.50`, `$0.000012`. */
export const dollarsText = (dollars: number): string => DOLLARS.format(dollars)

/** Whole amounts of this many dollars or more are shown without cents. */
const LARGE_DOLLARS = 1000

/** Micro-dollars as dollars: `$0.0123`, `$5.00`, `$5,000`. */
const microsText = (micros: number): string => {
  const isWholeAndLarge = micros % MICROS_PER_DOLLAR === 0 && micros >= LARGE_DOLLARS * MICROS_PER_DOLLAR
  return (isWholeAndLarge ? WHOLE_DOLLARS : DOLLARS).format(dollarsOf(micros))
}

/** Micro-dollars as a decimal number of dollars, exact: a division of large amounts loses digits. */
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

const PERCENTS = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1, useGrouping: false })

/** A percentage as text; a value above 0 is never shown as 0. */
export const percentText = (percent: number): string =>
  percent > 0 && percent < 0.1 ? '< 0.1 %' : `${PERCENTS.format(percent)} %`
