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
