import type { ModelUpstream } from './upstream.ts'

/** A price is 0 or within these bounds, in dollars. DynamoDB stores no number below 1e-130. */
export const LEAST_PRICE = 1e-6

export const MOST_PRICE = 1_000_000_000

export const PRICE_RULE = `be 0, or a number of dollars from ${LEAST_PRICE} to ${MOST_PRICE}`

/** Prices in US dollars per million tokens. */
export interface Prices {
  readonly inputPerMillion: number
  readonly outputPerMillion: number
  /** Of input that the upstream read from its cache. Undefined: as other input. */
  readonly cachedInputPerMillion?: number
  /** Of input that the upstream wrote to its cache. Undefined: as other input. */
  readonly cacheWritePerMillion?: number
  readonly longContext?: LongContextPrices
}

/** The prices of a request whose input is above a number of tokens: they apply to all of its tokens. */
export interface LongContextPrices {
  readonly aboveTokens: number
  readonly inputPerMillion: number
  readonly outputPerMillion: number
}

/** Longer than the context of any model. */
export const MOST_CONTEXT_TOKENS = 1_000_000_000

/** A registered model: a resource with a tier, prices and upstreams. */
export interface Model {
  readonly id: string
  readonly tier: string | null
  readonly prices: Prices | null
  /** In the order in which they are tried. Empty: the upstream `default`. */
  readonly upstreams: readonly ModelUpstream[]
  /** The bound of each response's output if the request names none. */
  readonly maxOutputTokens: number
  /** ns since the epoch */
  readonly createdAt: bigint
}

/** A model as it is registered: fields that are absent take their defaults. */
export interface ModelDraft {
  readonly tier?: string | null
  readonly prices?: Prices | null
  readonly upstreams?: readonly ModelUpstream[]
  readonly maxOutputTokens?: number
}

/** The model that a draft describes. */
export const modelOf = (id: string, draft: ModelDraft, createdAt: bigint): Model => ({
  id,
  tier: draft.tier ?? null,
  prices: draft.prices ?? null,
  upstreams: draft.upstreams ?? [],
  maxOutputTokens: draft.maxOutputTokens ?? DEFAULT_MAX_OUTPUT_TOKENS,
  createdAt,
})

/** The bound of output tokens of a model for which none is configured. */
export const DEFAULT_MAX_OUTPUT_TOKENS = 4096

export const MOST_OUTPUT_TOKENS = 1_000_000_000

export const MAX_OUTPUT_RULE = `be an integer from 1 to ${MOST_OUTPUT_TOKENS}`

/**
 * Tokens of a request by price. `cachedInput` is the part of `input` that the upstream read from its cache, `cacheWrite` the
 * part that it wrote to it.
 */
export interface PricedTokens {
  readonly input: number
  readonly output: number
  readonly cachedInput?: number
  readonly cacheWrite?: number
}

/**
 * The price of the tokens in whole micro-dollars, rounded up once. A price of one dollar per million tokens is one
 * micro-dollar per token. Prices are treated as decimals (0.15 is 15 / 100, not the nearest binary fraction).
 */
export const priceOf = (prices: Prices, tokens: PricedTokens): number => {
  const { input, output, cachedInput = 0, cacheWrite = 0 } = tokens
  const cached = Math.min(cachedInput, input)
  const written = Math.min(cacheWrite, input - cached)
  const rates = ratesOf(prices, input)
  const parts = [
    times(rates.input, BigInt(input - cached - written)),
    times(rates.cachedInput, BigInt(cached)),
    times(rates.cacheWrite, BigInt(written)),
    times(rates.output, BigInt(output)),
  ]
  const { over, under } = parts.reduce(sum)
  const micros = (over + under - 1n) / under
  return micros > MOST_MICROS ? Number.MAX_SAFE_INTEGER : Number(micros)
}

/** Nine billion dollars: no limit can admit a higher cost. */
const MOST_MICROS = BigInt(Number.MAX_SAFE_INTEGER)

/** Micro-dollars per token. */
interface Rates {
  readonly input: Fraction
  readonly output: Fraction
  readonly cachedInput: Fraction
  readonly cacheWrite: Fraction
}

/**
 * The rates of a request with this much input. In a long context the prices of cached input rise as that of other input does,
 * as in the published prices of providers.
 */
const ratesOf = (prices: Prices, inputTokens: number): Rates => {
  const { inputPerMillion, longContext, cachedInputPerMillion, cacheWritePerMillion } = prices
  const isLong = longContext !== undefined && inputTokens > longContext.aboveTokens
  const current = isLong ? longContext : prices
  const input = fractionOf(current.inputPerMillion)
  const cacheRate = (perMillion: number | undefined): Fraction => {
    if (perMillion === undefined) return input
    const rate = fractionOf(perMillion)
    return isLong && inputPerMillion > 0 ? quotient(product(rate, input), fractionOf(inputPerMillion)) : rate
  }
  return {
    input,
    output: fractionOf(current.outputPerMillion),
    cachedInput: cacheRate(cachedInputPerMillion),
    cacheWrite: cacheRate(cacheWritePerMillion),
  }
}

/** `over / under`, exactly. */
interface Fraction {
  readonly over: bigint
  readonly under: bigint
}

const times = ({ over, under }: Fraction, factor: bigint): Fraction => ({ over: over * factor, under })

const sum = (a: Fraction, b: Fraction): Fraction =>
  a.under === b.under
    ? { over: a.over + b.over, under: a.under }
    : { over: a.over * b.under + b.over * a.under, under: a.under * b.under }

const product = (a: Fraction, b: Fraction): Fraction => ({ over: a.over * b.over, under: a.under * b.under })

const quotient = (a: Fraction, b: Fraction): Fraction => ({ over: a.over * b.under, under: a.under * b.over })

const WRITTEN = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/

/** A number of at least 0 as its shortest decimal representation. */
const fractionOf = (value: number): Fraction => {
  const [, whole = '0', fraction = '', exponent = '0'] = WRITTEN.exec(String(value)) ?? []
  const decimals = fraction.length - Number(exponent)
  const units = BigInt(whole + fraction)
  return decimals < 0
    ? { over: units * power(-decimals), under: 1n }
    : { over: units, under: power(decimals) }
}

const power = (exponent: number): bigint => 10n ** BigInt(exponent)
