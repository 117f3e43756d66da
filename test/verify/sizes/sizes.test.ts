import { expect, test } from 'vitest'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import {
  EXPRESSION_BYTES,
  EXPRESSION_OPERATORS,
  longestExpressions,
} from '../../../verify/sizes/expression-sizes.ts'
import { itemBytes, writeUnits } from '../../../verify/sizes/item-bytes.ts'

const ID = entityBucket('key', 'gpt-4')
/** `PK` and `ENTITY#key`, `SK` and `BUCKET#gpt-4` */
const KEYS = 2 + 10 + 2 + 12

test('counts the bytes of strings, and one byte per two digits of a number plus one, without outer zeros', () => {
  expect(itemBytes(ID, {})).toBe(KEYS)
  expect(itemBytes(ID, { text: 'grüße' })).toBe(KEYS + 4 + 7)
  expect(itemBytes(ID, { n: 123n })).toBe(KEYS + 1 + 3)
  expect(itemBytes(ID, { n: -1234n })).toBe(KEYS + 1 + 3)
  expect(itemBytes(ID, { n: 1_200_000n })).toBe(KEYS + 1 + 2)
  expect(itemBytes(ID, { n: 0n })).toBe(KEYS + 1 + 1)
})

test('counts three bytes for a map, and one byte for each entry besides its own', () => {
  expect(itemBytes(ID, { marks: {} })).toBe(KEYS + 5 + 3)
  expect(itemBytes(ID, { marks: { abc: 12n, d: 345n } })).toBe(KEYS + 5 + 3 + (1 + 3 + 2) + (1 + 1 + 3))
})

test('bills one unit per started kilobyte', () => {
  expect([1, 1024, 1025, 2048].map(writeUnits)).toEqual([1, 1, 2, 2])
})

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
