import { expect, test } from 'vitest'
import { callersAt, peakCallers, shareOf, stages, totalMs } from '../../../../bin/load/options/stages.ts'

const read = stages({ mostCallers: 100, mostStages: 3, longestMs: 60_000 })

test('goes evenly from one number of callers to the next, and ends', () => {
  const ramp = read('10:10s, 20:500ms,0:20')
  expect(ramp).toEqual([
    { fromCallers: 0, toCallers: 10, durationMs: 10_000 },
    { fromCallers: 10, toCallers: 20, durationMs: 500 },
    { fromCallers: 20, toCallers: 0, durationMs: 20_000 },
  ])
  expect(totalMs(ramp)).toBe(30_500)
  expect(peakCallers(ramp)).toBe(20)
  const at = [1, 1_000, 1_001, 9_999, 10_250, 10_500, 20_500, 30_499, 30_500, 99_999]
  expect(at.map((ms) => callersAt(ramp, ms))).toEqual([1, 1, 2, 10, 15, 20, 10, 1, 0, 0])
})

test.each([
  ['5:1s,', 'concurrency:duration pairs'],
  ['101:1s', '0 to 100 callers'],
  ['5:0s', 'concurrency:duration pairs'],
  ['-5:1s', 'concurrency:duration pairs'],
  ['1:1s,1:1s,1:1s,1:1s', 'be at most 3 stages'],
  ['1:59s,1:2s', 'last at most 60 seconds together'],
  ['0:1s', 'have a caller'],
])('refuses %s', (text, why) => {
  expect(() => read(text)).toThrow(why)
})

test('shares callers among processes so that none is lost and none is twice there', () => {
  for (const processes of [1, 2, 3, 7]) {
    for (let callers = 0; callers < 30; callers++) {
      const shares = Array.from({ length: processes }, (_, index) => shareOf(callers, index, processes))
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(callers)
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1)
    }
  }
})
