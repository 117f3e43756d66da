import { expect, test } from 'vitest'
import {
  EXPRESSION_BYTES,
  EXPRESSION_OPERATORS,
  longestExpressions,
} from '../../../verify/sizes/expression-sizes.ts'

test('writes no expression that DynamoDB rejects, with eight limits, three of them windows of 60 slots', async () => {
  const sizes = await longestExpressions()
  for (const { bytes, operators } of sizes) {
    expect(bytes).toBeLessThan(EXPRESSION_BYTES)
    expect(operators).toBeLessThan(EXPRESSION_OPERATORS)
  }
  // close enough to the bounds to show that the cases are the longest
  expect(sizes.map(({ expression, bytes }) => [expression, bytes > EXPRESSION_BYTES / 2])).toEqual([
    ['condition', true],
    ['update', true],
  ])
})
