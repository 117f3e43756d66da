import { expect, onTestFinished, test, vi } from 'vitest'
import { createStreamTimer } from '../../../src/gateway/stream/stream-timer.ts'

const startTimer = () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const callback = vi.fn()
  return { callback, timer: createStreamTimer(callback) }
}

test('calls back once, after the time of the last start', () => {
  const { callback, timer } = startTimer()
  timer.start(100)
  vi.advanceTimersByTime(99)
  timer.start(100)
  vi.advanceTimersByTime(99)
  expect(callback).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(callback).toHaveBeenCalledOnce()
  vi.advanceTimersByTime(1_000)
  expect(callback).toHaveBeenCalledOnce()
})

test.each([
  ['shorter', 10],
  ['longer', 1_000],
])('another time takes the place of the first: %s', (_, ms) => {
  const { callback, timer } = startTimer()
  timer.start(100)
  timer.start(ms)
  vi.advanceTimersByTime(ms - 1)
  expect(callback).not.toHaveBeenCalled()
  vi.advanceTimersByTime(10_000)
  expect(callback).toHaveBeenCalledOnce()
})

test('can be started again after it has called back, or was stopped', () => {
  const { callback, timer } = startTimer()
  timer.start(100)
  vi.advanceTimersByTime(100)
  timer.start(100)
  vi.advanceTimersByTime(100)
  expect(callback).toHaveBeenCalledTimes(2)
  timer.start(100)
  timer.stop()
  vi.advanceTimersByTime(1_000)
  expect(callback).toHaveBeenCalledTimes(2)
  timer.start(100)
  vi.advanceTimersByTime(100)
  expect(callback).toHaveBeenCalledTimes(3)
})
