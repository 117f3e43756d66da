import { expect, test } from 'vitest'
import { type Circuit, createCircuit } from '../../../src/core/charge/circuit.ts'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import { createTestClock, SECOND } from '../test-clock.ts'

/** Sends a call in the way of the circuit's callers. */
const through =
  (circuit: Circuit) =>
  async <T>(send: () => Promise<T>): Promise<T> => {
    circuit.check()
    return circuit.observe(send())
  }

const setUp = () => {
  const clock = createTestClock()
  const send = through(createCircuit(clock))
  let sent = 0
  const call = (isUnavailable: boolean) =>
    send(async () => {
      sent++
      await Promise.resolve()
      if (isUnavailable) throw new StoreUnavailable('away', { mayHaveApplied: true })
      return 'here'
    })
  const throttled = () =>
    send(async () => {
      sent++
      throw new StoreUnavailable('throttled', { mayHaveApplied: false, isThrottled: true })
    }).catch(() => {})
  const failing = async (times: number) => {
    for (let turn = 0; turn < times; turn++) await call(true).catch(() => {})
  }
  return { clock, call, failing, throttled, attempts: () => sent }
}

test('the circuit lets one call through per second while the store is unavailable, under any concurrency', async () => {
  const { clock, call, failing, attempts } = setUp()
  await failing(5)
  clock.advance(SECOND)
  const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => call(true)))
  expect(attempts()).toBe(6)
  const reasons = outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.mayHaveApplied)
  expect(reasons.filter((mayHaveApplied) => mayHaveApplied === false)).toHaveLength(9)
})

test('the circuit counts only consecutive failures', async () => {
  const { call, failing, attempts } = setUp()
  for (let turn = 0; turn < 5; turn++) {
    await failing(4)
    expect(await call(false)).toBe('here')
  }
  expect(attempts()).toBe(25)
})

test('the circuit does not count an error about the call itself as an unavailable store', async () => {
  const { clock } = setUp()
  const send = through(createCircuit(clock))
  let sent = 0
  for (let turn = 0; turn < 10; turn++)
    await expect(
      send(async () => {
        sent++
        throw new Error('malformed')
      }),
    ).rejects.toThrow('malformed')
  expect(sent).toBe(10)
})

test('the circuit stays closed while the store throttles, and closes if that is its first response', async () => {
  const { clock, throttled, failing, call, attempts } = setUp()
  for (let turn = 0; turn < 20; turn++) await throttled()
  expect(attempts()).toBe(20)
  await failing(5)
  clock.advance(SECOND)
  await throttled()
  expect(await call(false)).toBe('here')
})
