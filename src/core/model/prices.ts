/** A price is 0 or within these bounds, in dollars. DynamoDB stores no number below 1e-130. */
export const LEAST_PRICE = 1e-6

export const MOST_PRICE = 1_000_000_000

export const PRICE_RULE = `be 0, or a number of dollars from ${LEAST_PRICE} to ${MOST_PRICE}`

/** Prices in US dollars per million tokens. */
export interface TokenPrices {
  readonly inputPerMillion: number
  readonly outputPerMillion: number
  /** Of input that the upstream read from its cache. Undefined: as other input. */
  readonly cachedInputPerMillion?: number
  /** Of input that the upstream wrote to its cache. Undefined: as other input. */
  readonly cacheWritePerMillion?: number
  /** Of input that it wrote to its cache for an hour. Undefined: as other input that it wrote. */
  readonly cacheWrite1hPerMillion?: number
  readonly longContext?: LongContextPrices
}

/** The prices of a request whose input is above a number of tokens: they apply to all of its tokens. */
export interface LongContextPrices {
  readonly aboveTokens: number
  readonly inputPerMillion: number
  readonly outputPerMillion: number
}

/** The service tiers that have prices of their own, in place of the standard ones. */
export const PRICED_TIERS = ['flex', 'priority'] as const

export type PricedTier = (typeof PRICED_TIERS)[number]

/** `standard`: every tier without prices of its own. */
export type ServiceTier = PricedTier | 'standard'

/** The prices of a model. */
export interface Prices extends TokenPrices {
  readonly serviceTiers?: Readonly<Partial<Record<PricedTier, TokenPrices>>>
  /** US dollars for each image that a request sends or a response contains. */
  readonly perImage?: number
  /** US dollars for each second of audio that a request sends. */
  readonly perAudioSecond?: number
}

/** Longer than the context of any model. */
export const MOST_CONTEXT_TOKENS = 1_000_000_000

/** What each token of a kind counts in the meter `tokens`. Undefined: 1. */
export interface TokenWeights {
  readonly input?: number
  readonly output?: number
  readonly cachedInput?: number
  readonly cacheWrite?: number
}

/** A weight is 0 or within these bounds. */
export const LEAST_WEIGHT = 0.001

export const MOST_WEIGHT = 1000

export const WEIGHT_RULE = `be 0, or a number from ${LEAST_WEIGHT} to ${MOST_WEIGHT}`

/** Tokens of a request by price. */
export interface PricedTokens {
  readonly input: number
  readonly output: number
  /** The part of `input` that the upstream read from its cache. */
  readonly cachedInput?: number
  /** The part of `input` that it wrote to its cache. */
  readonly cacheWrite?: number
  /** The part of `cacheWrite` that it wrote for an hour. */
  readonly cacheWrite1h?: number
}

/** What an upstream bills for a request. */
export interface PricedUse extends PricedTokens {
  readonly images?: number
  readonly audioSeconds?: number
  /** The tier that served it. Default `standard`. */
  readonly tier?: ServiceTier
}

/**
 * The price in whole micro-dollars, rounded up once. A price of one dollar per million tokens is one micro-dollar per token.
 * Prices are treated as decimals (0.15 is 15 / 100, not the nearest binary fraction).
 */
export const priceOf = (prices: Prices, use: PricedUse): number =>
  priceIn(prices, use, isLongContext(pricesOfTier(prices, use.tier), use.input))

/** A request before it is sent: its largest use, and what its price depends on. */
export interface PricedEstimate {
  readonly input: number
  readonly output: number
  readonly images: number
  readonly audioSeconds: number
  readonly cacheWrites: CacheWrites
  /** The tiers of which one will serve it; at least one. */
  readonly tiers: readonly ServiceTier[]
}

/** For how long a request may write input to the upstream's cache: for minutes, an hour, or not at all. */
export type CacheWrites = 'none' | 'minutes' | 'hour'

/**
 * The highest price of a use that is at most the estimate. The true count of a prompt near the bound of a long context may be
 * above it.
 */
export const highestPriceOf = (prices: Prices, estimate: PricedEstimate): number => {
  const { tiers, input, output, images, audioSeconds } = estimate
  let highest = 0
  for (const tier of tiers) {
    const ofTier = pricesOfTier(prices, tier)
    for (const part of inputKinds(ofTier, estimate)) {
      const use = { input, output, images, audioSeconds, tier, ...part }
      highest = Math.max(highest, priceIn(prices, use, false))
      if (mayBeLong(ofTier, input)) highest = Math.max(highest, priceIn(prices, use, true))
    }
  }
  return highest
}

/** Whether the highest price depends on more of a request than its numbers of tokens. */
export const dependsOnRequest = (prices: Prices): boolean => {
  const { inputPerMillion, cacheWritePerMillion = 0, cacheWrite1hPerMillion = 0 } = prices
  return (
    prices.serviceTiers !== undefined ||
    prices.perImage !== undefined ||
    prices.perAudioSecond !== undefined ||
    Math.max(cacheWritePerMillion, cacheWrite1hPerMillion) > inputPerMillion
  )
}

/** The tokens of a use as the meter `tokens` counts them, rounded up once. */
export const weightedTokens = (weights: TokenWeights, tokens: PricedTokens): number =>
  priceIn(asPrices(weights), tokens, false)

/** The most that a use of at most these tokens counts. */
export const highestWeightedTokens = (
  weights: TokenWeights,
  estimate: Pick<PricedEstimate, 'input' | 'output' | 'cacheWrites'>,
): number => {
  const { input, output } = estimate
  const prices = asPrices(weights)
  let highest = 0
  for (const part of inputKinds(prices, estimate))
    highest = Math.max(highest, priceIn(prices, { input, output, ...part }, false))
  return highest
}

/** Whether the most that a use counts depends on what it writes to a cache. */
export const countsCacheWrites = ({ input = 1, cacheWrite = 1 }: TokenWeights): boolean => cacheWrite > input

const weightPrices = new WeakMap<TokenWeights, TokenPrices>()

/** Weights as prices: one dollar per million is one micro-dollar per token. */
const asPrices = (weights: TokenWeights): TokenPrices => {
  const known = weightPrices.get(weights)
  if (known !== undefined) return known
  const { input = 1, output = 1, cachedInput = 1, cacheWrite = 1 } = weights
  const prices = {
    inputPerMillion: input,
    outputPerMillion: output,
    cachedInputPerMillion: cachedInput,
    cacheWritePerMillion: cacheWrite,
  }
  weightPrices.set(weights, prices)
  return prices
}

const pricesOfTier = (prices: Prices, tier: ServiceTier = 'standard'): TokenPrices =>
  tier === 'standard' ? prices : (prices.serviceTiers?.[tier] ?? prices)

const isLongContext = ({ longContext }: TokenPrices, input: number): boolean =>
  longContext !== undefined && input > longContext.aboveTokens

/** How much more tokens a prompt may have than were counted. */
const COUNT_ERROR = 1.1

const mayBeLong = (prices: TokenPrices, input: number): boolean => isLongContext(prices, input * COUNT_ERROR)

type InputKind = Pick<PricedTokens, 'cachedInput' | 'cacheWrite' | 'cacheWrite1h'>

const UNCACHED: InputKind = {}

const ONLY_UNCACHED: readonly InputKind[] = [UNCACHED]

/** All input as each kind that may cost most: the highest price is that of one of them. */
const inputKinds = (
  prices: TokenPrices,
  { input, cacheWrites }: Pick<PricedEstimate, 'input' | 'cacheWrites'>,
): readonly InputKind[] => {
  const { inputPerMillion, cachedInputPerMillion = 0 } = prices
  const { cacheWritePerMillion = 0, cacheWrite1hPerMillion = 0 } = prices
  const highest = Math.max(cachedInputPerMillion, cacheWritePerMillion, cacheWrite1hPerMillion)
  if (highest <= inputPerMillion) return ONLY_UNCACHED
  return [
    UNCACHED,
    { cachedInput: input },
    ...(cacheWrites === 'none' ? [] : [{ cacheWrite: input }]),
    ...(cacheWrites === 'hour' ? [{ cacheWrite: input, cacheWrite1h: input }] : []),
  ]
}

/** In whole micro-dollars, rounded up; with the prices of a long context or without. */
const priceIn = (prices: Prices, use: PricedUse, isLong: boolean): number => {
  const {
    input,
    output,
    cachedInput = 0,
    cacheWrite = 0,
    cacheWrite1h = 0,
    images = 0,
    audioSeconds = 0,
  } = use
  const cached = Math.min(cachedInput, input)
  const written = Math.min(cacheWrite, input - cached)
  const forHour = Math.min(cacheWrite1h, written)
  const rates = ratesOf(pricesOfTier(prices, use.tier), isLong)
  const over =
    rates.input * BigInt(input - cached - written) +
    rates.cachedInput * BigInt(cached) +
    rates.cacheWrite * BigInt(written - forHour) +
    rates.cacheWrite1h * BigInt(forHour) +
    rates.output * BigInt(output)
  if (images === 0 && audioSeconds === 0) return wholeMicros({ over, under: rates.under })
  return wholeMicros(sum({ over, under: rates.under }, mediaPrice(prices, images, audioSeconds)))
}

const MICROS_PER_DOLLAR = 1_000_000n

/** Audio counts in whole ms, rounded up. */
const MS_PER_SECOND = 1000

const mediaPrice = (
  { perImage = 0, perAudioSecond = 0 }: Prices,
  images: number,
  seconds: number,
): Fraction => {
  const perSecond = fractionOf(perAudioSecond)
  return sum(times(fractionOf(perImage), BigInt(images) * MICROS_PER_DOLLAR), {
    over: perSecond.over * BigInt(Math.ceil(seconds * MS_PER_SECOND)) * MICROS_PER_DOLLAR,
    under: perSecond.under * BigInt(MS_PER_SECOND),
  })
}

/** Nine billion dollars: no limit can admit a higher cost. */
const MOST_MICROS = BigInt(Number.MAX_SAFE_INTEGER)

const wholeMicros = ({ over, under }: Fraction): number => {
  const micros = (over + under - 1n) / under
  return micros > MOST_MICROS ? Number.MAX_SAFE_INTEGER : Number(micros)
}

/** Micro-dollars per token, all of them over one denominator. */
interface Rates {
  readonly input: bigint
  readonly output: bigint
  readonly cachedInput: bigint
  readonly cacheWrite: bigint
  readonly cacheWrite1h: bigint
  readonly under: bigint
}

/** Prices are immutable: their rates are computed once. */
const shortRates = new WeakMap<TokenPrices, Rates>()

const longRates = new WeakMap<TokenPrices, Rates>()

const ratesOf = (prices: TokenPrices, isLong: boolean): Rates => {
  const cache = isLong ? longRates : shortRates
  const known = cache.get(prices)
  if (known !== undefined) return known
  const rates = computeRates(prices, isLong)
  cache.set(prices, rates)
  return rates
}

/**
 * In a long context the prices of cached input rise as that of other input does, as in the published prices of providers.
 */
const computeRates = (prices: TokenPrices, isLong: boolean): Rates => {
  const { inputPerMillion, longContext, cachedInputPerMillion, cacheWritePerMillion } = prices
  const current = isLong && longContext !== undefined ? longContext : prices
  const input = fractionOf(current.inputPerMillion)
  const cacheRate = (perMillion: number | undefined, fallback: Fraction): Fraction => {
    if (perMillion === undefined) return fallback
    const rate = fractionOf(perMillion)
    return current === prices || inputPerMillion === 0
      ? rate
      : quotient(product(rate, input), fractionOf(inputPerMillion))
  }
  const cacheWrite = cacheRate(cacheWritePerMillion, input)
  const fractions = {
    input,
    output: fractionOf(current.outputPerMillion),
    cachedInput: cacheRate(cachedInputPerMillion, input),
    cacheWrite,
    cacheWrite1h: cacheRate(prices.cacheWrite1hPerMillion, cacheWrite),
  }
  const under = Object.values(fractions).reduce((product, fraction) => product * fraction.under, 1n)
  const over = (fraction: Fraction): bigint => (fraction.over * under) / fraction.under
  return {
    input: over(fractions.input),
    output: over(fractions.output),
    cachedInput: over(fractions.cachedInput),
    cacheWrite: over(fractions.cacheWrite),
    cacheWrite1h: over(fractions.cacheWrite1h),
    under,
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
