export const PERIOD_SECONDS = { second: 1, minute: 60, hour: 3600, day: 86_400 } as const
export type Period = keyof typeof PERIOD_SECONDS
export const PERIODS: readonly Period[] = ['second', 'minute', 'hour', 'day']

/** Most limits are said by the minute. */
const TRIED: readonly Period[] = ['minute', 'second', 'hour', 'day']

export const isPeriod = (value: string): value is Period => PERIODS.some((period) => period === value)

/** A rate per second as people say it: by the first period in which it is a whole number, else by the second. */
export const perPeriod = (rate: number): { readonly amount: number; readonly period: Period } => {
  for (const period of TRIED) {
    const amount = rate * PERIOD_SECONDS[period]
    const whole = Math.round(amount)
    if (whole > 0 && Math.abs(amount - whole) <= whole * 1e-9) return { amount: whole, period }
  }
  return { amount: rate, period: 'second' }
}
