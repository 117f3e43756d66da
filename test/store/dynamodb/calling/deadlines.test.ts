import { describe, expect, it } from 'vitest'
import { TICK_MS } from '../../../../src/store/dynamodb/call-limits.ts'
import { createManualDeadlines } from './manual-time.ts'

describe('a deadline', () => {
  it('ends once its time has passed, at most a tick later, and only once', () => {
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

  it('is never early, though a tick is under way when it starts', () => {
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

  it('does not end once the call is over', () => {
    const deadlines = createManualDeadlines()
    let ended = 0
    const stop = deadlines.start(100, () => {
      ended += 1
    })
    stop()
    deadlines.pass(1000)
    expect(ended).toBe(0)
  })

  it('counts a stall of the event loop as one tick, not as its length', () => {
    const deadlines = createManualDeadlines()
    let ended = 0
    deadlines.start(250, () => {
      ended += 1
    })
    // seconds pass, but only one timer runs before answers are looked at
    deadlines.pass(TICK_MS)
    expect(ended).toBe(0)
  })

  it('keeps one timer for all, and none while nothing is under way', () => {
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
