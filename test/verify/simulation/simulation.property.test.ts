import { describe, expect, test } from 'vitest'
import { failureOf, failureText, simulate } from '../../../verify/simulation/simulate.ts'

/** `npm run verify` runs many more, and so does .ci/run. */
const SCHEDULES = 60

describe('in a simulation of nodes that fail', () => {
  test('the limiter keeps what it promises, whatever is lost, late, frozen or dead', async () => {
    const failures: string[] = []
    for (let seed = 1; seed <= SCHEDULES; seed++) {
      const failure = failureOf(await simulate(seed))
      if (failure) failures.push(failureText(failure))
    }
    expect(failures).toEqual([])
  })

  test('a seed always leads to the same', async () => {
    for (const seed of [3, 80, 590]) expect(await simulate(seed)).toEqual(await simulate(seed))
  })

  test('gives back a lease whose write was under way while its slot was forgotten', async () => {
    expect(failureOf(await simulate(590))).toBeUndefined()
  })
})
