import type { Limit } from '../../api/answers.ts'
import type { LimitState } from './buckets.ts'

/** What a token bucket owes after a settlement beyond its reservation. */
export interface Debt {
  /** Tokens (micro-dollars of a budget) below zero; at least 1. */
  readonly amount: number
  /** Until the first token is available again. */
  readonly seconds: number
}

/** The API rounds times up to the millisecond. */
const ROUNDED_UP_SECONDS = 0.001

/**
 * The debt of a token bucket; undefined where there is none. The API shows a debt as 0 available, but counts it in the time
 * until the bucket is full: what refills in that time beyond the capacity is owed. The time of a window does not depend on
 * its use, so the debt of a window cannot be derived.
 */
export const debtOf = (
  { algorithm, refill_rate: rate = 0 }: Pick<Limit, 'algorithm' | 'refill_rate'>,
  { available, capacity, reset_after_seconds }: LimitState,
): Debt | undefined => {
  if (algorithm !== 'token_bucket' || rate <= 0 || available > 0) return undefined
  const seconds = reset_after_seconds - capacity / rate
  const amount = Math.round(seconds * rate)
  return seconds > ROUNDED_UP_SECONDS && amount >= 1 ? { amount, seconds } : undefined
}
