import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { createHistogram } from '../../../bin/load/tally.ts'

const values = fc.array(fc.nat({ max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 300 })

const shares = fc.double({ min: 0, max: 1, noNaN: true })

const histogramOf = (recorded: readonly number[]) => {
  const histogram = createHistogram()
  for (const value of recorded) histogram.record(value)
  return histogram
}

test.prop([values, shares])(
  'a quantile is at most 1/128 above the exact one, and never below it',
  (recorded, share) => {
    const sorted = recorded.toSorted((a, b) => a - b)
    const exact = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
    const named = histogramOf(recorded).quantile(share)
    expect(named).toBeGreaterThanOrEqual(exact)
    expect(named).toBeLessThanOrEqual(exact + exact / 128)
    expect(histogramOf(recorded).greatest()).toBe(sorted.at(-1))
  },
)

test.prop([values, values])('the sum of two histograms equals one histogram of all values', (one, other) => {
  const merged = histogramOf(one)
  merged.add(structuredClone(histogramOf(other).counts()))
  expect(merged.counts()).toEqual(histogramOf([...one, ...other]).counts())
})
