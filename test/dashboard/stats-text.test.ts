import { expect, test } from 'vitest'
import { startText } from '../../dashboard/parts/time.ts'
import { deniedShareText, partialText, percentText } from '../../dashboard/stats/stats.tsx'

test.each([
  [0, '0 %'],
  [0.04, '< 0.1 %'],
  [10, '10 %'],
  [33.333, '33.3 %'],
])('says %f percent as %s', (percent, text) => {
  expect(percentText(percent)).toBe(text)
})

test('says what share was denied, and nothing where nothing was asked', () => {
  expect(deniedShareText({ admitted: 30, denied: 10 })).toBe('25 %')
  expect(deniedShareText({ admitted: 0, denied: 0 })).toBe('–')
})

test('names a UTC day whatever the reader’s time zone is', () => {
  expect(startText(1_767_225_600, 'day')).toContain('1')
  expect(startText(1_767_225_600, 'day')).toContain('Jan')
})

test('says what was left out', () => {
  expect(partialText({ is_partial: false, entities_read: 10 })).toBeUndefined()
  expect(partialText({ is_partial: true, entities_read: 1500 })).toContain('the first 1,500 by id')
})
