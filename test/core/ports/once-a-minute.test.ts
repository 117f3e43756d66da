import { expect, test } from 'vitest'
import { createSampling } from '../../../src/core/ports/once-a-minute.ts'
import { lruCaches } from '../../../src/platform/runtime.ts'
import { createTestClock, SECOND } from '../test-clock.ts'

test('the action runs once per subject and interval, with the number of skipped events', () => {
  const clock = createTestClock()
  const sampled = createSampling({ clock, newCache: lruCaches }, 10n * SECOND)
  const acted: [string, number][] = []
  const event = (subject: string): void =>
    sampled(subject, (suppressed) => void acted.push([subject, suppressed]))
  for (const subject of ['a', 'a', 'b', 'a']) event(subject)
  clock.advance(10n * SECOND - 1n)
  event('b')
  clock.advance(1n)
  for (const subject of ['a', 'b', 'a']) event(subject)
  expect(acted).toEqual([
    ['a', 0],
    ['b', 0],
    ['a', 2],
    ['b', 1],
  ])
})
