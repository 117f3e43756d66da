import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createFlushTimer } from '../../../src/library/limiter/create-rate-limiter.ts'
import { createReportsLog } from '../middleware/reports-log.ts'

beforeEach(() => void vi.useFakeTimers())

afterEach(() => void vi.useRealTimers())

const createTestTimer = (flush: () => Promise<void> = async () => {}) => {
  const flushed = vi.fn(flush)
  const { logged, options } = createReportsLog()
  return { timer: createFlushTimer(flushed, options.logger), flushed, logged }
}

test('flushes once a second from the first start on, however often it is started', () => {
  const { timer, flushed } = createTestTimer()
  vi.advanceTimersByTime(5000)
  expect(flushed).not.toHaveBeenCalled()
  timer.start()
  timer.start()
  vi.advanceTimersByTime(3000)
  expect(flushed).toHaveBeenCalledTimes(3)
})

test('stays stopped', () => {
  const { timer, flushed } = createTestTimer()
  timer.start()
  timer.stop()
  timer.start()
  vi.advanceTimersByTime(3000)
  expect(flushed).not.toHaveBeenCalled()
})

test('logs a failure, and continues', async () => {
  const { timer, flushed, logged } = createTestTimer(() => Promise.reject(new Error('away')))
  timer.start()
  await vi.advanceTimersByTimeAsync(2000)
  expect(flushed).toHaveBeenCalledTimes(2)
  expect(logged).toEqual(['flush failed', 'flush failed'])
})

test.each([7, { ref() {} }])('works if setInterval returns %o, which has no unref', (timer) => {
  const setInterval = vi.fn(() => timer)
  const clearInterval = vi.fn()
  vi.stubGlobal('setInterval', setInterval)
  vi.stubGlobal('clearInterval', clearInterval)
  try {
    const { timer: flushing } = createTestTimer()
    flushing.start()
    flushing.start()
    flushing.stop()
  } finally {
    vi.unstubAllGlobals()
  }
  expect(setInterval).toHaveBeenCalledTimes(1)
  expect(clearInterval).toHaveBeenCalledWith(timer)
})
