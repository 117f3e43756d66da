export const MS_NS = 1_000_000n
export const SECOND_NS = 1_000n * MS_NS
export const MINUTE_NS = 60n * SECOND_NS
export const HOUR_NS = 60n * MINUTE_NS
export const DAY_NS = 24n * HOUR_NS

export const MINUTE_SECONDS = 60
export const HOUR_SECONDS = 3600
export const DAY_SECONDS = 86_400

/** a / b rounded up; a ≥ 0, b > 0. */
export const roundedUp = (a: bigint, b: bigint): bigint => (a + b - 1n) / b

/** Rounded down to whole milliseconds. */
export const downToMs = (ns: bigint): bigint => (ns / MS_NS) * MS_NS

/**
 * ns per token at `ratePerSecond`. The nearest integer if the rate equals it within the precision of a double
 * (16.666666666666668 per second is 1000 per minute), else rounded up, so that tokens never refill faster than the rate. A wider tolerance
 * would: at 1e-9, 7 per 60 s became 8,571,428,571 ns per token.
 */
export const nsPerToken = (ratePerSecond: number): bigint => {
  const exact = 1e9 / ratePerSecond
  const nearest = Math.round(exact)
  const isMeant = Math.abs(exact - nearest) <= exact * 1e-15
  return BigInt(isMeant ? nearest : Math.ceil(exact))
}

/** Math.max() does not accept bigint. */
export const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b)

export const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b)

/** The smaller of two times, of which an undefined one is later than every other. */
export const earlier = (a: bigint | undefined, b: bigint | undefined): bigint | undefined =>
  a === undefined || b === undefined ? (a ?? b) : smaller(a, b)
