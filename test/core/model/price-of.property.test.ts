import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import {
  type CacheWrites,
  highestPriceOf,
  highestWeightedTokens,
  priceOf,
  weightedTokens,
} from '../../../src/core/model/prices.ts'
import { CACHE_WRITES, pricesOfModels, usesWithin } from './priced-uses.ts'

/** Dollars per million as people write them, with what they are in millionths of a micro-dollar per token. */
const price = fc.tuple(fc.nat({ max: 5000 }), fc.nat({ max: 999_999 })).map(([dollars, millionths]) => ({
  perMillion: Number(`${dollars}.${String(millionths).padStart(6, '0')}`),
  exact: BigInt(dollars) * 1_000_000n + BigInt(millionths),
}))

const tokens = fc.nat({ max: 10_000_000 })

describe('the price of tokens', () => {
  test.prop([price, price, price, tokens, tokens, tokens])(
    'is exact to the millionth, rounded up once to a whole micro-dollar',
    (input, output, cached, fresh, reused, written) => {
      const exact =
        BigInt(fresh) * input.exact + BigInt(reused) * cached.exact + BigInt(written) * output.exact
      const prices = {
        inputPerMillion: input.perMillion,
        outputPerMillion: output.perMillion,
        cachedInputPerMillion: cached.perMillion,
      }
      const micros = priceOf(prices, { input: fresh + reused, output: written, cachedInput: reused })
      expect(Number.isSafeInteger(micros)).toBe(true)
      const overpaid = BigInt(micros) * 1_000_000n - exact
      expect(overpaid >= 0n && overpaid < 1_000_000n).toBe(true)
    },
  )

  test.prop([price, price, tokens, tokens, tokens, tokens])(
    'of a chat as a whole is at most the sum of its parts, and at least the greatest part',
    (input, output, in1, in2, out1, out2) => {
      const prices = { inputPerMillion: input.perMillion, outputPerMillion: output.perMillion }
      const whole = priceOf(prices, { input: in1 + in2, output: out1 + out2 })
      const parts = [
        priceOf(prices, { input: in1, output: out1 }),
        priceOf(prices, { input: in2, output: out2 }),
      ]
      expect(whole).toBeLessThanOrEqual((parts[0] ?? 0) + (parts[1] ?? 0))
      expect(whole).toBeGreaterThanOrEqual(Math.max(...parts))
    },
  )

  test.prop([fc.double({ min: 0, max: 1e21, noNaN: true }), tokens])(
    'is an amount for every possible price',
    (perMillion, input) => {
      const prices = { inputPerMillion: perMillion, outputPerMillion: 0 }
      const micros = priceOf(prices, { input, output: 5 })
      expect(Number.isSafeInteger(micros) && micros >= 0).toBe(true)
      expect(micros > 0).toBe(perMillion > 0 && input > 0)
    },
  )
})

const estimated = fc.record({
  input: fc.nat({ max: 5000 }),
  output: fc.nat({ max: 5000 }),
  images: fc.nat({ max: 5 }),
  audioSeconds: fc.nat({ max: 100 }),
  cacheWrites: fc.constantFrom<CacheWrites>(...CACHE_WRITES),
  tiers: fc.subarray(['standard', 'flex', 'priority'] as const, { minLength: 1 }),
})

describe('the highest price of an estimate', () => {
  test.prop([pricesOfModels, estimated.chain((most) => fc.tuple(fc.constant(most), usesWithin(most)))])(
    'is at least that of every use within it',
    (prices, [most, use]) => {
      expect(priceOf(prices, use)).toBeLessThanOrEqual(highestPriceOf(prices, most))
    },
  )

  const weight = fc.constantFrom(0, 0.1, 1, 1.25, 5, 1000)
  const weights = fc.record(
    { input: weight, output: weight, cachedInput: weight, cacheWrite: weight },
    { requiredKeys: [] },
  )

  test.prop([weights, estimated.chain((most) => fc.tuple(fc.constant(most), usesWithin(most)))])(
    'in weighted tokens as well',
    (each, [most, use]) => {
      expect(weightedTokens(each, use)).toBeLessThanOrEqual(highestWeightedTokens(each, most))
    },
  )
})
