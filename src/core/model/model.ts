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

/** Tokens of a chat by price. `cachedInput` is the part of `input` that the upstream read from its cache. */
export interface PricedTokens {
  readonly input: number
  readonly output: number
  readonly cachedInput?: number
}

/**
 * The price of the tokens in whole micro-dollars, rounded up once. A price of one dollar per million tokens is one
 * micro-dollar per token. Prices are treated as decimals (0.15 is 15 / 100, not the nearest binary fraction). Cached input
 * costs as much as other input if the model has no price for it.
 */
export const priceOf = (prices: Prices, { input, output, cachedInput = 0 }: PricedTokens): number => {
  const cached = Math.min(cachedInput, input)
  const parts = [
    part(input - cached, prices.inputPerMillion),
    part(cached, prices.cachedInputPerMillion ?? prices.inputPerMillion),
    part(output, prices.outputPerMillion),
  ]
  const decimals = Math.max(...parts.map((each) => each.decimals))
  const sum = parts.reduce((total, each) => total + each.units * power(decimals - each.decimals), 0n)
  const micros = (sum + power(decimals) - 1n) / power(decimals)
  return micros > MOST_MICROS ? Number.MAX_SAFE_INTEGER : Number(micros)
}

/** Nine billion dollars: no limit can admit a higher cost. */
const MOST_MICROS = BigInt(Number.MAX_SAFE_INTEGER)

/** An amount of `units / 10 ** decimals` micro-dollars. */
interface Amount {
  readonly units: bigint
  readonly decimals: number
}

const part = (tokens: number, perMillion: number): Amount => {
  const { units, decimals } = decimalOf(perMillion)
  return { units: BigInt(tokens) * units, decimals }
}

const WRITTEN = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/

/** A number of at least 0 as its shortest decimal representation. */
const decimalOf = (value: number): Amount => {
  const [, whole = '0', fraction = '', exponent = '0'] = WRITTEN.exec(String(value)) ?? []
  const decimals = fraction.length - Number(exponent)
  const units = BigInt(whole + fraction)
  return decimals < 0 ? { units: units * power(-decimals), decimals: 0 } : { units, decimals }
}

const power = (exponent: number): bigint => 10n ** BigInt(exponent)
