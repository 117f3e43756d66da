import { expect, test } from 'vitest'
import { TooManyRequests } from '../../src/core/model/errors.ts'
import { createMinuteBound } from '../../src/http/minute-bound.ts'
import { lruCaches } from '../../src/platform/runtime.ts'
import { createTestClock, SECOND } from '../core/test-clock.ts'

const createBound = (parts: Partial<Parameters<typeof createMinuteBound>[0]> = {}) =>
  createMinuteBound({
    clock: createTestClock(),
    caches: lruCaches,
    mostPerMinute: 60,
    message: 'Too many',
    ...parts,
  })

const recordTimes = (events: { record(subject: string): void }, subject: string, times: number): void => {
  for (let i = 0; i < times; i += 1) events.record(subject)
}

test('a subject has 60 events per minute, and no more', () => {
  const events = createBound()
  recordTimes(events, 'a', 60)
  expect(() => events.record('a')).toThrow(TooManyRequests)
  expect(() => events.record('b')).not.toThrow()
})

test('the wait is until the end of the minute, and then a new one starts', () => {
  const clock = createTestClock()
  const events = createBound({ clock })
  recordTimes(events, 'a', 60)
  clock.advance(45n * SECOND)
  expect(() => events.record('a')).toThrow(expect.objectContaining({ retryAfterSeconds: 15 }))
  clock.advance(15n * SECOND)
  expect(() => events.record('a')).not.toThrow()
})

test('the memory is bounded under any number of subjects', () => {
  const sizes: number[] = []
  const events = createBound({
    caches: (options) => {
      sizes.push(options.max)
      return lruCaches(options)
    },
  })
  recordTimes(events, 'a', 1)
  expect(sizes).toEqual([10_000])
})
