import { describe, expect, test } from 'vitest'
import { failureOf, failureText, simulate } from '../../../verify/simulation/simulate.ts'

/** `npm run verify` and .ci/run run many more. */
const SCHEDULES = 60

describe('in a simulation of nodes that fail', () => {
  test('the limiter holds its invariants despite lost and late calls, freezes and crashes', async () => {
    const failures: string[] = []
    for (let seed = 1; seed <= SCHEDULES; seed++) {
      const failure = failureOf(await simulate(seed))
      if (failure) failures.push(failureText(failure))
    }
    expect(failures).toEqual([])
  })

  test('a seed always produces the same run', async () => {
    for (const seed of [3, 80, 590]) expect(await simulate(seed)).toEqual(await simulate(seed))
  })

  test('releases a lease whose write was pending while its slot was evicted', async () => {
    expect(failureOf(await simulate(590))).toBeUndefined()
  })
})
