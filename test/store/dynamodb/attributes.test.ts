import { describe, expect, test } from 'vitest'
import {
  dayOf,
  fromAttribute,
  fromIsoTime,
  toIsoTime,
  toItem,
} from '../../../src/store/dynamodb/attributes.ts'

describe('a time as text', () => {
  test.each<[bigint, string]>([
    [0n, '1970-01-01T00:00:00.000000000Z'],
    [1_790_000_000_000_000_001n, '2026-09-21T14:13:20.000000001Z'],
    [1_790_000_000_999_999_999n, '2026-09-21T14:13:20.999999999Z'],
  ])('%i ns is %s, and back', (ns, text) => {
    expect(toIsoTime(ns)).toBe(text)
    expect(fromIsoTime(text)).toBe(ns)
    expect(dayOf(ns)).toBe(text.slice(0, 10))
  })

  test('is read with fewer digits of a second too', () => {
    expect(fromIsoTime('2026-09-21T14:13:20Z')).toBe(1_790_000_000_000_000_000n)
    expect(fromIsoTime('2026-09-21T14:13:20.5Z')).toBe(1_790_000_000_500_000_000n)
  })

  test.each([
    '',
    'now',
    '2026-09-21',
    '2026-09-21T14:13:20',
    '2026-13-21T14:13:20Z',
    '2026-09-21T14:13:20+01:00',
  ])('is not %j', (text) => {
    expect(fromIsoTime(text)).toBeUndefined()
  })
})

describe('JSON as an attribute', () => {
  test.each([
    '{"constructor":"x","b":1}',
    '{"a":{"constructor":{"name":"Set"}}}',
    '{"a":{"__proto__":"x","toString":null}}',
    '[{"valueOf":[]},"",0,-1.5,true,{}]',
  ])('%s is stored and read key by key', (text) => {
    expect(JSON.stringify(fromAttribute(toItem({ value: JSON.parse(text) }).value))).toBe(text)
  })
})
