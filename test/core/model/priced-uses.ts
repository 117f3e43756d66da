import { fc } from '@fast-check/vitest'
import type {
  CacheWrites,
  PricedEstimate,
  PricedUse,
  Prices,
  TokenPrices,
} from '../../../src/core/model/prices.ts'

export const CACHE_WRITES = ['none', 'minutes', 'hour'] as const satisfies readonly CacheWrites[]

/** Dollars per million tokens, or 0: caches may cost more than other input, or less. */
const price = fc.oneof(
  fc.constantFrom(0, 0.1, 3, 15, 1e-6),
  fc.nat({ max: 100_000 }).map((cents) => cents / 100),
)

const longContext = fc.record({
  aboveTokens: fc.integer({ min: 1, max: 6000 }),
  inputPerMillion: price,
  outputPerMillion: price,
})

const tokenPrices: fc.Arbitrary<TokenPrices> = fc.record(
  {
    inputPerMillion: price,
    outputPerMillion: price,
    cachedInputPerMillion: price,
    cacheWritePerMillion: price,
    cacheWrite1hPerMillion: price,
    longContext,
  },
  { requiredKeys: ['inputPerMillion', 'outputPerMillion'] },
)

/** Prices with any of their parts. */
export const pricesOfModels: fc.Arbitrary<Prices> = fc
  .tuple(
    tokenPrices,
    fc.record(
      {
        serviceTiers: fc.record({ flex: tokenPrices, priority: tokenPrices }, { requiredKeys: [] }),
        perImage: fc.constantFrom(0, 0.04),
        perAudioSecond: fc.constantFrom(0, 0.0001),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([tokens, others]) => ({ ...tokens, ...others }))

const share = fc.double({ min: 0, max: 1, noNaN: true })

/** Uses of at most an estimate, in a tier and a cache that it allows. */
export const usesWithin = (most: PricedEstimate): fc.Arbitrary<PricedUse> =>
  fc
    .record({ input: share, output: share, cached: share, written: share, forHour: share, media: share })
    .chain((shares) =>
      fc.constantFrom(...most.tiers).map((tier) => {
        const part = (amount: number, ofIt: number): number => Math.floor(amount * ofIt)
        const input = part(most.input, shares.input)
        const cachedInput = part(input, shares.cached)
        const cacheWrite = most.cacheWrites === 'none' ? 0 : part(input - cachedInput, shares.written)
        const cacheWrite1h = most.cacheWrites === 'hour' ? part(cacheWrite, shares.forHour) : 0
        return {
          input,
          output: part(most.output, shares.output),
          cachedInput,
          cacheWrite,
          cacheWrite1h,
          images: part(most.images, shares.media),
          audioSeconds: most.audioSeconds * shares.media,
          tier,
        }
      }),
    )
