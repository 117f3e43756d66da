/** A price is 0 or within these bounds, in dollars. DynamoDB stores no number below 1e-130. */
export const LEAST_PRICE = 1e-6
export const MOST_PRICE = 1_000_000_000
export const PRICE_RULE = `be 0, or a number of dollars from ${LEAST_PRICE} to ${MOST_PRICE}`

/** Prices in US dollars per million tokens. */
export interface Prices {
  readonly inputPerMillion: number
  readonly outputPerMillion: number
  readonly cachedInputPerMillion?: number
}

/** A registered model: a resource with a tier and prices. */
export interface Model {
  readonly id: string
  readonly tier: string | null
  readonly prices: Prices | null
  /** ns since the epoch */
  readonly createdAt: bigint
}
