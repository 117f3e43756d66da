import { expect, test } from 'vitest'
import { type Circuit, createCircuit } from '../../../src/core/charge/circuit.ts'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import { createTestClock, SECOND } from '../test-clock.ts'

/** Sends a call as the circuit's callers do. */
const through =
  (circuit: Circuit) =>
  async <T>(send: () => Promise<T>): Promise<T> => {
    circuit.check()
    return circuit.observe(send())
  }

const setUp = () => {
  const clock = createTestClock()
  const send = through(createCircuit(clock))
  let asked = 0
  const call = (isAway: boolean) =>
    send(async () => {
      asked++
      await Promise.resolve()
      if (isAway) throw new StoreUnavailable('away', { mayHaveApplied: true })
      return 'here'
    })
  const throttled = () =>
    send(async () => {
      asked++
      throw new StoreUnavailable('throttled', { mayHaveApplied: false, isThrottled: true })
    }).catch(() => {})
  const failing = async (times: number) => {
    for (let turn = 0; turn < times; turn++) await call(true).catch(() => {})
  }
  return { clock, call, failing, throttled, asked: () => asked }
}

test('lets one call through a second while the store is away, however many come at once', async () => {
  const { clock, call, failing, asked } = setUp()
  await failing(5)
  clock.advance(SECOND)
  const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => call(true)))
  expect(asked()).toBe(6)
  const reasons = outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.mayHaveApplied)
  expect(reasons.filter((mayHaveApplied) => mayHaveApplied === false)).toHaveLength(9)
})

test('counts failures in a row only', async () => {
  const { call, failing, asked } = setUp()
  for (let turn = 0; turn < 5; turn++) {
    await failing(4)
    expect(await call(false)).toBe('here')
  }
  expect(asked()).toBe(25)
})

test('does not take an answer about the call for a store that is away', async () => {
  const { clock } = setUp()
  const send = through(createCircuit(clock))
  let asked = 0
  for (let turn = 0; turn < 10; turn++)
    await expect(
      send(async () => {
        asked++
        throw new Error('malformed')
      }),
    ).rejects.toThrow('malformed')
  expect(asked).toBe(10)
})

test('stays closed while the store throttles, and closes where that is its first answer', async () => {
  const { clock, throttled, failing, call, asked } = setUp()
  for (let turn = 0; turn < 20; turn++) await throttled()
  expect(asked()).toBe(20)
  await failing(5)
  clock.advance(SECOND)
  await throttled()
  expect(await call(false)).toBe('here')
})
