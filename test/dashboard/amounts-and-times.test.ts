import { expect, test } from 'vitest'
import { amountText, dollarsOf, percentText } from '../../dashboard/parts/amounts.ts'
import { availableShare, loadLevel } from '../../dashboard/parts/bar.tsx'
import { spanText, startText } from '../../dashboard/parts/time.ts'
import { deniedShareText, partialText } from '../../dashboard/stats/stats.tsx'

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
])('formats an amount of %s, %d, as %s', (meter, amount, text) => {
  expect(amountText(meter, amount)).toBe(text)
})

test.each([
  [12_500_000, '12.5'],
  [1, '0.000001'],
  [9_007_199_254_740_991, '9007199254.740991'],
  [57.5, '0.0000575'],
])('converts %d micro-dollars to %s dollars', (micros, text) => {
  expect(dollarsOf(micros)).toBe(text)
})

test('shows a debt as 0 available, and a limit of 0 as paused', () => {
  expect([availableShare(-5, 10), availableShare(0, 0), availableShare(12, 10)]).toEqual([0, 0, 1])
  expect([loadLevel(-5, 10), loadLevel(0, 0), loadLevel(0, 10)]).toEqual(['high', 'paused', 'high'])
})

test.each([
  [0, '0 s'],
  [0.01, '0.1 s'],
  [2.34, '2.4 s'],
  [9.96, '10 s'],
  [10.2, '11 s'],
  [59.5, '1 min'],
  [200, '3 min 20 s'],
  [3600, '1 h'],
  [3900, '1 h 5 min'],
  [183_600, '2 d 3 h'],
  [364 * 86_400, '364 d'],
  [400 * 86_400, 'over a year'],
  [180_000_000_000, '5,707 years'],
])('formats %f seconds as %s', (seconds, text) => {
  expect(spanText(seconds)).toBe(text)
})

test.each([
  [0, '0 %'],
  [0.04, '< 0.1 %'],
  [10, '10 %'],
  [33.333, '33.3 %'],
])('formats %f percent as %s', (percent, text) => {
  expect(percentText(percent)).toBe(text)
})

test('formats the share of denied requests, and a dash without requests', () => {
  expect(deniedShareText({ admitted: 30, denied: 10 })).toBe('25 %')
  expect(deniedShareText({ admitted: 0, denied: 0 })).toBe('–')
})

test('names a UTC day in any time zone', () => {
  expect(startText(1_767_225_600, 'day')).toContain('1')
  expect(startText(1_767_225_600, 'day')).toContain('Jan')
})

test('notes entities that were not read', () => {
  expect(partialText({ is_partial: false, entities_read: 10 })).toBeUndefined()
  expect(partialText({ is_partial: true, entities_read: 1500 })).toContain('the first 1,500 by id')
})
