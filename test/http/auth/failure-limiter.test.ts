import { expect, test } from 'vitest'
import { TooManyRequests } from '../../../src/core/model/errors.ts'
import { createFailureLimiter } from '../../../src/http/auth/failure-limiter.ts'
import { lruCaches } from '../../../src/platform/runtime.ts'
import { createTestClock, SECOND } from '../../core/test-clock.ts'

const failTimes = (failures: { failed(address: string): void }, address: string, times: number): void => {
  for (let i = 0; i < times; i += 1) failures.failed(address)
}

test('takes 60 failures of an address within a minute, and no more', () => {
  const failures = createFailureLimiter(createTestClock(), lruCaches)
  failTimes(failures, 'a', 60)
  expect(() => failures.failed('a')).toThrow(TooManyRequests)
  expect(() => failures.failed('b')).not.toThrow()
})

test('says how long to wait, and begins anew after a minute', () => {
  const clock = createTestClock()
  const failures = createFailureLimiter(clock, lruCaches)
  failTimes(failures, 'a', 60)
  clock.advance(45n * SECOND)
  expect(() => failures.failed('a')).toThrow(expect.objectContaining({ retryAfterSeconds: 15 }))
  clock.advance(15n * SECOND)
  expect(() => failures.failed('a')).not.toThrow()
})

test('keeps to a bound however many addresses fail', () => {
  const sizes: number[] = []
  const failures = createFailureLimiter(createTestClock(), (options) => {
    sizes.push(options.max)
    return lruCaches(options)
  })
  failTimes(failures, 'a', 1)
  expect(sizes).toEqual([10_000])
})
