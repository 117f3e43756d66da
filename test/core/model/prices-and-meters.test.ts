import { describe, expect, test } from 'vitest'
import { usedInstead, withTotalTokens } from '../../../src/core/model/meter.ts'
import { priceOf } from '../../../src/core/model/model.ts'

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
