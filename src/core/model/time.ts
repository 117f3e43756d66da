export const SECOND_NS = 1_000_000_000n

/** a / b rounded up; b above 0, a not negative. */
export const roundedUp = (a: bigint, b: bigint): bigint => (a + b - 1n) / b

/**
 * ns per token at `ratePerSecond`. The nearest integer where the rate says that one up to the precision of a double
 * (16.666666666666668 a second is 1000 a minute), else rounded up, so that it is never faster than the rate.
 */
export const nsPerToken = (ratePerSecond: number): bigint => {
  const exact = 1e9 / ratePerSecond
  const nearest = Math.round(exact)
  const isMeant = Math.abs(exact - nearest) <= exact * 1e-15
  return BigInt(isMeant ? nearest : Math.ceil(exact))
}

/** Math.max() knows no bigint. */
export const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b)

export const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b)
