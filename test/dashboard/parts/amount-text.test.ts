import { expect, test } from 'vitest'
import { amountText, dollarsOf } from '../../../dashboard/parts/amounts.ts'
import { availableShare, loadOf } from '../../../dashboard/parts/bar.tsx'

test.each([
  ['requests', 5_000_000_000, '5,000,000,000'],
  ['tokens', 9_007_199_254_740_991, '9,007,199,254,740,991'],
  [undefined, 7, '7'],
  ['cost_usd_micros', 5_000_000_000, '$5,000'],
  ['cost_usd_micros', 5_000_000, '$5.00'],
  ['cost_usd_micros', 1_234_500_000, '$1,234.50'],
  ['cost_usd_micros', 1, '$0.000001'],
  ['cost_usd_micros', 0, '$0.00'],
  ['cost_usd_micros', 999_000_000, '$999.00'],
  ['cost_usd_micros', 9_007_199_254_740_991, '$9,007,199,254.740991'],
  ['cost_usd_micros', 0.25, '$0.00'],
])('writes an amount of %s, %d, as %s', (meter, amount, text) => {
  expect(amountText(meter, amount)).toBe(text)
})

test.each([
  [12_500_000, '12.5'],
  [1, '0.000001'],
  [9_007_199_254_740_991, '9007199254.740991'],
  [57.5, '0.0000575'],
])('takes %d micro-dollars as %s dollars', (micros, text) => {
  expect(dollarsOf(micros)).toBe(text)
})

test('shows a debt as nothing left, and a limit of 0 as paused', () => {
  expect([availableShare(-5, 10), availableShare(0, 0), availableShare(12, 10)]).toEqual([0, 0, 1])
  expect([loadOf(-5, 10), loadOf(0, 0), loadOf(0, 10)]).toEqual(['high', 'paused', 'high'])
})
