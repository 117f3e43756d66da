import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { watchUpstream } from '../../../src/gateway/upstream/upstream-call.ts'

const SILENCE_MS = 1000

const caller = () => new AbortController()

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

test('a call ends if its upstream is silent for too long', () => {
  const watch = watchUpstream(caller().signal, SILENCE_MS)
  vi.advanceTimersByTime(SILENCE_MS - 1)
  watch.resume()
  vi.advanceTimersByTime(SILENCE_MS - 1)
  expect(watch.signal.aborted).toBe(false)
  vi.advanceTimersByTime(1)
  expect([watch.signal.aborted, watch.timedOut()]).toEqual([true, true])
})

test('a slow reader is not treated as a silent upstream', () => {
  const watch = watchUpstream(caller().signal, SILENCE_MS)
  watch.pause()
  vi.advanceTimersByTime(10 * SILENCE_MS)
  expect(watch.signal.aborted).toBe(false)
  watch.resume()
  vi.advanceTimersByTime(SILENCE_MS)
  expect(watch.timedOut()).toBe(true)
})

test('a call ends if its caller disconnects, which is not a silent upstream', () => {
  const gone = caller()
  const watch = watchUpstream(gone.signal, SILENCE_MS)
  gone.abort()
  expect([watch.signal.aborted, watch.timedOut()]).toEqual([true, false])
  expect(watchUpstream(gone.signal, SILENCE_MS).signal.aborted).toBe(true)
})

test('a call leaves no timer behind', () => {
  watchUpstream(caller().signal, SILENCE_MS).end()
  expect(vi.getTimerCount()).toBe(0)
})
