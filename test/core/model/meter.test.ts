import { expect, test } from 'vitest'
import { usedInstead, withTotalTokens } from '../../../src/core/model/meter.ts'

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
