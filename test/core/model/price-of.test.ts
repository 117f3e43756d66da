import { describe, expect, test } from 'vitest'
import { priceOf } from '../../../src/core/model/model.ts'

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
