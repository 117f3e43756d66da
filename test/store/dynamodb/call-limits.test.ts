import { describe, expect, test } from 'vitest'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import { createCallQueue, TICK_MS } from '../../../src/store/dynamodb/call-limits.ts'
import { createManualDeadlines } from './manual-time.ts'

describe('a deadline', () => {
  test('ends once its time has passed, at most a tick later, and only once', () => {
    const deadlines = createManualDeadlines()
    let ended = 0
    deadlines.start(250, () => {
      ended += 1
    })
    deadlines.pass(250)
    expect(ended).toBe(0)
    deadlines.pass(TICK_MS)
    expect(ended).toBe(1)
    deadlines.pass(1000)
    expect(ended).toBe(1)
  })

  test('is never early, though a tick is under way when it starts', () => {
    const deadlines = createManualDeadlines()
    const ended: string[] = []
    deadlines.start(1000, () => ended.push('long'))
    // the next tick is due at any moment: it must not count
    deadlines.start(TICK_MS, () => ended.push('short'))
    deadlines.pass(TICK_MS)
    expect(ended).toEqual([])
    deadlines.pass(TICK_MS)
    expect(ended).toEqual(['short'])
  })

  test('does not end once the call is over', () => {
    const deadlines = createManualDeadlines()
    let ended = 0
    const stop = deadlines.start(100, () => {
      ended += 1
    })
    stop()
    deadlines.pass(1000)
    expect(ended).toBe(0)
  })

  test('counts a stall of the event loop as one tick, not as its length', () => {
    const deadlines = createManualDeadlines()
    let ended = 0
    deadlines.start(250, () => {
      ended += 1
    })
    // seconds pass, but only one timer runs before responses are read
    deadlines.pass(TICK_MS)
    expect(ended).toBe(0)
  })

  test('keeps one timer for all, and none while nothing is under way', () => {
    const deadlines = createManualDeadlines()
    const stops = [100, 200, 300].map((ms) => deadlines.start(ms, () => {}))
    expect(deadlines.timers()).toBe(1)
    for (const stop of stops) stop()
    deadlines.pass(TICK_MS)
    expect(deadlines.timers()).toBe(0)
    deadlines.start(100, () => {})
    expect(deadlines.timers()).toBe(1)
  })
})

const queueOf = (maxInFlight: number) => {
  const deadlines = createManualDeadlines()
  return { deadlines, queue: createCallQueue({ maxInFlight, maxWaitMs: 2000, deadlines }) }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('a queue of calls', () => {
  test('admits as many calls as may be in flight, and the others in order of arrival', async () => {
    const { queue } = queueOf(2)
    const admitted: number[] = []
    const leaves = new Map<number, () => void>()
    const enter = async (call: number): Promise<void> => {
      leaves.set(call, await queue.enter())
      admitted.push(call)
    }
    const calls = [1, 2, 3, 4].map(enter)
    await settled()
    expect(admitted).toEqual([1, 2])
    leaves.get(2)?.()
    await settled()
    expect(admitted).toEqual([1, 2, 3])
    leaves.get(1)?.()
    await Promise.all(calls)
    expect(admitted).toEqual([1, 2, 3, 4])
  })

  test('frees a place once, however often the call ends', async () => {
    const { queue } = queueOf(1)
    const leave = await queue.enter()
    const second = queue.enter()
    leave()
    leave()
    await second
    let third = false
    void queue.enter().then(() => {
      third = true
    })
    await settled()
    expect(third).toBe(false)
  })

  test('has all its places free after many calls', async () => {
    const { queue } = queueOf(3)
    const work = async (): Promise<void> => {
      const leave = await queue.enter()
      await settled()
      leave()
    }
    await Promise.all(Array.from({ length: 20 }, work))
    await Promise.all([queue.enter(), queue.enter(), queue.enter()])
  })

  test('rejects a call that waits too long as not applied, and admits the calls behind it', async () => {
    const { queue, deadlines } = queueOf(1)
    const leave = await queue.enter()
    const impatient = queue.enter()
    const refused = expect(impatient).rejects.toSatisfy(
      (error) => error instanceof StoreUnavailable && !error.mayHaveApplied,
    )
    deadlines.pass(1000)
    const patient = queue.enter()
    deadlines.pass(1100)
    await refused
    leave()
    await patient
  })
})
