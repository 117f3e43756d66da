import { describe, expect, test } from 'vitest'
import { countsText, EMPTY_TALLY, MOST_KEPT, withOutcomes, withRun } from '../../../dashboard/try-it/run.ts'
import type { Outcome } from '../../../dashboard/try-it/send-chat.ts'

const outcome = (number: number, kind: Outcome['kind'] = 'allowed'): Outcome => ({
  number,
  kind,
  status: 200,
  headers: [],
  usage: undefined,
  denial: undefined,
  body: '',
  durationMs: 1,
  endedAtMs: 1,
})

describe('a tally', () => {
  test('has the newest first, in whatever order they come', () => {
    const tally = withOutcomes(withOutcomes(EMPTY_TALLY, [outcome(2), outcome(1)]), [outcome(4), outcome(3)])
    expect(tally.outcomes.map(({ number }) => number)).toEqual([4, 3, 2, 1])
  })

  test('keeps the last 200, and counts all', () => {
    const many = Array.from({ length: 150 }, (_, index) => outcome(index + 1))
    const more = Array.from({ length: 150 }, (_, index) => outcome(index + 151, 'denied'))
    const tally = withOutcomes(withOutcomes(EMPTY_TALLY, many), more)
    expect(tally.outcomes).toHaveLength(MOST_KEPT)
    expect(tally.outcomes.at(-1)?.number).toBe(101)
    expect(tally.counts).toEqual({ allowed: 150, denied: 150, failed: 0 })
  })

  test('forgets the denial of the run before, and counts the new run by itself', () => {
    const before = withOutcomes(EMPTY_TALLY, [outcome(1, 'denied')])
    expect(before.denied?.number).toBe(1)
    const after = withOutcomes(withRun(before), [outcome(2)])
    expect(after).toMatchObject({ denied: undefined, run: { allowed: 1, denied: 0, failed: 0 } })
    expect(after.counts).toEqual({ allowed: 1, denied: 1, failed: 0 })
  })

  test('is said in words', () => {
    expect(countsText({ allowed: 10, denied: 1, failed: 0 })).toBe(
      '11 requests: 10 allowed, 1 denied, 0 failed',
    )
    expect(countsText({ allowed: 1, denied: 0, failed: 0 })).toMatch(/^1 request: /)
  })
})
