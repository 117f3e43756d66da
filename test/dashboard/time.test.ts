import { expect, test } from 'vitest'
import { spanText } from '../../dashboard/parts/time.ts'

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
])('says %f seconds as %s', (seconds, text) => {
  expect(spanText(seconds)).toBe(text)
})
