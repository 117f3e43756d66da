import { describe, expect, test } from 'vitest'
import { usedInstead, withTotalTokens } from '../../../src/core/model/meter.ts'
import {
  highestPriceOf,
  highestWeightedTokens,
  type PricedEstimate,
  type Prices,
  priceOf,
  weightedTokens,
} from '../../../src/core/model/prices.ts'

test.each([
  [{ requests: 1 }, { requests: 1 }],
  [
    { input_tokens: 3, output_tokens: 4 },
    { input_tokens: 3, output_tokens: 4, tokens: 7 },
  ],
  [{ input_tokens: 3 }, { input_tokens: 3, tokens: 3 }],
  [
    { input_tokens: 3, output_tokens: 4, tokens: 50 },
    { input_tokens: 3, output_tokens: 4, tokens: 50 },
  ],
])('the total of %j is that of %j', (cost, total) => {
  expect(withTotalTokens(cost)).toEqual(total)
})

const reserved = { requests: 1, input_tokens: 10, output_tokens: 20, tokens: 30 }

test.each([
  [{}, reserved],
  [{ tokens: 5 }, { ...reserved, tokens: 5 }],
  [{ input_tokens: 8 }, { ...reserved, input_tokens: 8, tokens: 28 }],
  [{ output_tokens: 0 }, { ...reserved, output_tokens: 0, tokens: 10 }],
  [
    { input_tokens: 8, tokens: 99 },
    { ...reserved, input_tokens: 8, tokens: 99 },
  ],
  [{ cost_usd_micros: 7 }, { ...reserved, cost_usd_micros: 7 }],
])('the use of a reservation settled with %j is %j', (actual, used) => {
  expect(usedInstead(reserved, actual)).toEqual(used)
})

const CLAUDE = {
  inputPerMillion: 3,
  outputPerMillion: 15,
  cachedInputPerMillion: 0.3,
  cacheWritePerMillion: 3.75,
  longContext: { aboveTokens: 200_000, inputPerMillion: 6, outputPerMillion: 22.5 },
}

const GPT = { inputPerMillion: 2.5, outputPerMillion: 10, cachedInputPerMillion: 1.25 }

describe('the price of tokens', () => {
  test.each([
    ['nothing', GPT, { input: 0, output: 0 }, 0],
    [
      'a dollar per million is a micro-dollar per token',
      { ...GPT, outputPerMillion: 1 },
      { input: 0, output: 7 },
      7,
    ],
    ['half a micro-dollar counts as a whole one', GPT, { input: 1, output: 0 }, 3],
    [
      'it is rounded once, not for each part',
      { inputPerMillion: 0.1, outputPerMillion: 0.2 },
      { input: 3, output: 1 },
      1,
    ],
    ['tenths are tenths', { inputPerMillion: 0.1, outputPerMillion: 0.2 }, { input: 10, output: 5 }, 2],
    [
      'cached input has a price of its own',
      GPT,
      { input: 1000, output: 100, cachedInput: 800 },
      500 + 1000 + 1000,
    ],
    [
      'or that of other input',
      { inputPerMillion: 2, outputPerMillion: 0 },
      { input: 10, output: 0, cachedInput: 9 },
      20,
    ],
    ['more cached than read is no gain', GPT, { input: 10, output: 0, cachedInput: 1000 }, 13],
    [
      'cache writes have a price of their own',
      CLAUDE,
      { input: 1000, output: 0, cachedInput: 400, cacheWrite: 200 },
      400 * 3 + 400 * 0.3 + 200 * 3.75,
    ],
    ['or that of other input', GPT, { input: 10, output: 0, cacheWrite: 4 }, 25],
    [
      'the cache holds no more than the input',
      CLAUDE,
      { input: 100, output: 0, cachedInput: 80, cacheWrite: 80 },
      80 * 0.3 + 20 * 3.75,
    ],
    ['the last tokens of a short context', CLAUDE, { input: 200_000, output: 100 }, 600_000 + 1500],
    [
      'a long context changes the price of all tokens',
      CLAUDE,
      { input: 200_001, output: 100 },
      1_200_006 + 2250,
    ],
    [
      'in a long context, the prices of a cache rise as that of input does',
      CLAUDE,
      { input: 300_000, output: 0, cachedInput: 200_000, cacheWrite: 50_000 },
      50_000 * 6 + 200_000 * 0.6 + 50_000 * 7.5,
    ],
    [
      'from a price of 0, they cannot rise',
      { ...CLAUDE, inputPerMillion: 0 },
      { input: 300_000, output: 0, cachedInput: 300_000 },
      90_000,
    ],
    ['a tiny price', { inputPerMillion: 1e-7, outputPerMillion: 0 }, { input: 10_000_001, output: 0 }, 2],
    [
      'a price with an exponent',
      { inputPerMillion: 1e21, outputPerMillion: 0 },
      { input: 1, output: 0 },
      Number.MAX_SAFE_INTEGER,
    ],
  ])('%s', (_, prices, used, micros) => {
    expect(priceOf(prices, used)).toBe(micros)
  })
})

const MULTI: Prices = {
  ...CLAUDE,
  cacheWrite1hPerMillion: 6,
  serviceTiers: {
    flex: { inputPerMillion: 1.5, outputPerMillion: 7.5 },
    priority: { inputPerMillion: 6, outputPerMillion: 30, cachedInputPerMillion: 0.6 },
  },
  perImage: 0.04,
  perAudioSecond: 0.0001,
}

describe('the price of what is not only tokens', () => {
  test.each([
    ['the tier that served it', { input: 1000, output: 100, tier: 'priority' as const }, 6000 + 3000],
    [
      'a tier has its own price of cached input',
      { input: 10, output: 0, cachedInput: 10, tier: 'priority' as const },
      6,
    ],
    ['or that of its other input', { input: 10, output: 0, cachedInput: 10, tier: 'flex' as const }, 15],
    ['a tier without prices of its own', { input: 1000, output: 100, tier: 'standard' as const }, 4500],
    ['a tier without a long context', { input: 300_000, output: 0, tier: 'flex' as const }, 450_000],
    [
      'writes to a cache for an hour',
      { input: 1000, output: 0, cacheWrite: 300, cacheWrite1h: 200 },
      700 * 3 + 100 * 3.75 + 200 * 6,
    ],
    ['no more of them than writes', { input: 100, output: 0, cacheWrite: 100, cacheWrite1h: 900 }, 600],
    [
      'which rise in a long context',
      { input: 300_000, output: 0, cacheWrite: 100_000, cacheWrite1h: 100_000 },
      200_000 * 6 + 100_000 * 12,
    ],
    ['images', { input: 0, output: 0, images: 3 }, 120_000],
    ['seconds of audio', { input: 1, output: 0, audioSeconds: 90 }, 3 + 9000],
    ['parts of a second of audio', { input: 0, output: 0, audioSeconds: 0.0101 }, 2],
  ])('%s', (_, use, micros) => {
    expect(priceOf(MULTI, use)).toBe(micros)
  })

  test('is nothing where there is no such price', () => {
    expect(priceOf(GPT, { input: 0, output: 0, images: 9, audioSeconds: 9, tier: 'flex' })).toBe(0)
  })
})

const estimate = (parts: Partial<PricedEstimate>): PricedEstimate => ({
  input: 1000,
  output: 100,
  images: 0,
  audioSeconds: 0,
  cacheWrites: 'none',
  tiers: ['standard'],
  ...parts,
})

describe('the highest price of an estimate', () => {
  test.each([
    ['is that of its input and output', {}, 4500],
    ['with writes to a cache', { cacheWrites: 'minutes' as const }, 3750 + 1500],
    ['with writes for an hour', { cacheWrites: 'hour' as const }, 6000 + 1500],
    ['in the dearest tier that may serve it', { tiers: ['standard', 'priority'] as const }, 9000],
    ['in the tier that was asked for', { tiers: ['flex'] as const }, 2250],
    ['with images and audio', { images: 2, audioSeconds: 10 }, 4500 + 80_000 + 1000],
    ['of a prompt that may be a long context', { input: 190_000 }, 190_000 * 6 + 2250],
    ['of a prompt that is none', { input: 180_000 }, 180_000 * 3 + 1500],
  ])('%s', (_, parts, micros) => {
    expect(highestPriceOf(MULTI, estimate(parts))).toBe(micros)
  })

  test('is that of cached input where it costs more', () => {
    const prices = { inputPerMillion: 1, outputPerMillion: 0, cachedInputPerMillion: 2 }
    expect(highestPriceOf(prices, estimate({}))).toBe(2000)
  })
})

describe('the weighted tokens of a use', () => {
  const BEDROCK = { output: 5, cachedInput: 0 }

  test.each([
    [BEDROCK, { input: 1000, output: 100 }, 1500],
    [BEDROCK, { input: 1000, output: 100, cachedInput: 800 }, 700],
    [{ cacheWrite: 1.25 }, { input: 101, output: 0, cacheWrite: 101 }, 127],
    [{ cacheWrite: 1.25 }, { input: 101, output: 0, cacheWrite: 101, cacheWrite1h: 101 }, 127],
    [{ input: 0.1, output: 0.2 }, { input: 3, output: 1 }, 1],
    [{ input: 0, output: 0 }, { input: 9, output: 9 }, 0],
    [{}, { input: 9, output: 9, cachedInput: 5, cacheWrite: 4 }, 18],
  ])('%j weigh %j as %i', (weights, tokens, weighted) => {
    expect(weightedTokens(weights, tokens)).toBe(weighted)
  })

  test.each([
    [BEDROCK, 'none' as const, 1500],
    [{ cacheWrite: 1.25 }, 'none' as const, 1100],
    [{ cacheWrite: 1.25 }, 'hour' as const, 1350],
    [{ cachedInput: 2 }, 'none' as const, 2100],
  ])('%j are at most, with writes for %s, %i', (weights, cacheWrites, weighted) => {
    expect(highestWeightedTokens(weights, { input: 1000, output: 100, cacheWrites })).toBe(weighted)
  })
})
