import { expect, test } from 'vitest'
import { limitErrorOf } from '../../dashboard/limits/limit-fields.tsx'
import { limitSentence } from '../../dashboard/limits/limit-list.tsx'
import {
  meterText,
  pausedText,
  refillText,
  sourceText,
  USUAL_NAMES,
  windowText,
} from '../../dashboard/limits/limit-text.ts'
import { sizeText } from '../../dashboard/limits/size-forms.ts'
import { meterOfName } from '../../src/core/model/meter.ts'

test.each([
  [1, '60 per minute'],
  [10 / 60, '10 per minute'],
  [1 / 3600, '1 per hour'],
  [0.0123, '0.0123 per second'],
])('formats a rate of %f per second as %s', (rate, text) => {
  expect(refillText(rate)).toBe(text)
})

test.each([
  [45, '45 s'],
  [3600, '1 h'],
  [5400, '90 min'],
  [3601, '3,601 s'],
  [172_800, '2 d'],
])('formats a window of %i seconds as %s', (seconds, text) => {
  expect(windowText(seconds)).toBe(text)
})

test('describes sizes by algorithm', () => {
  const named = { name: 'rpm' }
  expect(sizeText({ ...named, algorithm: 'sliding_window', limit: 1000, window_seconds: 3600 })).toBe(
    '1,000 in any 1 h',
  )
  expect(sizeText({ ...named, algorithm: 'fixed_window', limit: 5, window: 'month' })).toBe(
    '5 per month (UTC)',
  )
})

test('describes money in dollars, and a size of 0 as paused', () => {
  const budget = { name: 'budget', meter: 'cost_usd_micros' } as const
  expect(sizeText({ ...budget, algorithm: 'fixed_window', limit: 5_000_000_000, window: 'month' })).toBe(
    '$5,000 per month (UTC)',
  )
  expect(
    sizeText({ ...budget, algorithm: 'token_bucket', capacity: 500_000, refill_rate: 500_000 / 3600 }),
  ).toBe('$0.50, refilled $0.50 per hour')
  expect(sizeText({ ...budget, algorithm: 'sliding_window', limit: 0, window_seconds: 60 })).toBe('paused')
})

test('counts requests if the name implies no other meter', () => {
  expect([meterText({ name: 'login' }), meterText({ name: 'tpm' })]).toEqual(['requests', 'tokens'])
})

test.each([
  ['entity:_default_', 'set for every resource'],
  ['entity:gpt-4', 'set for gpt-4'],
  ['entity:a:b/c', 'set for a:b/c'],
  ['role:user:_default_', 'role user'],
  ['role:user:gpt-4', 'role user for gpt-4'],
  ['system:_default_', 'system default'],
  ['system:gpt-4', 'system default for gpt-4'],
  ['environment', 'environment default'],
  ['policy:USER_MODEL:ann:gpt-4', 'policy USER_MODEL ann:gpt-4'],
])('describes the source %s as %s', (source, text) => {
  expect(sourceText(source)).toBe(text)
})

test('finds the limit and the field that an error names', () => {
  const error = Object.assign(new Error('limits[1].headroom.low must be below 1'), {
    field: 'limits[1].headroom.low',
  })
  expect(limitErrorOf(error)).toEqual({ index: 1, field: 'headroom.low', text: 'Must be below 1' })
  expect(
    limitErrorOf(Object.assign(new Error('limits must contain at most 8'), { field: 'limits' })),
  ).toBeUndefined()
  expect(limitErrorOf(new Error('The API cannot be reached'))).toBeUndefined()
  expect(limitErrorOf(undefined)).toBeUndefined()
})

test.each([
  ['requests', undefined, 'denies every counted request'],
  ['tokens', 'enforce', 'denies every request that costs tokens'],
  ['input_tokens', undefined, 'denies every request that costs input tokens'],
  ['cost_usd_micros', '', 'denies every request that costs money'],
  [undefined, undefined, 'denies every request that it counts'],
  ['tokens', 'warn', 'denies nothing because its mode is warn'],
] as const)('a paused limit on %s in mode %s %s', (meter, mode, text) => {
  expect(pausedText(meter, mode)).toBe(text)
})

const bucket = (capacity: number, refill_rate: number) =>
  ({ name: 'any', meter: 'requests', algorithm: 'token_bucket', capacity, refill_rate }) as const

test.each([
  [bucket(10, 10 / 60), '10 requests, refilled 10 per minute'],
  [bucket(1, 0.5), '1 request, refilled 30 per minute'],
  [{ ...bucket(10_000, 50), meter: 'tokens' } as const, '10,000 tokens, refilled 3,000 per minute'],
  [
    {
      name: 'any',
      meter: 'requests',
      algorithm: 'sliding_window',
      capacity: 50,
      limit: 50,
      window_seconds: 3600,
    } as const,
    '50 requests in any 1 h',
  ],
  [
    {
      name: 'any',
      meter: 'cost_usd_micros',
      algorithm: 'fixed_window',
      capacity: 5_000_000,
      limit: 5_000_000,
      window: 'day',
      time_zone: 'Europe/Berlin',
    } as const,
    '$5.00 per day (Europe/Berlin)',
  ],
  [{ ...bucket(2_500_000, 1000), meter: 'cost_usd_micros' } as const, '$2.50, refilled $0.06 per minute'],
  [
    { ...bucket(5_000_000_000, 5_000_000_000 / 86_400), meter: 'cost_usd_micros' } as const,
    '$5,000, refilled $5,000 per day',
  ],
  [
    { ...bucket(9_007_199_254_740_991, 1), meter: 'tokens' } as const,
    '9,007,199,254,740,991 tokens, refilled 60 per minute',
  ],
  [bucket(0, 0), 'paused'],
  [{ ...bucket(0, 0), algorithm: 'fixed_window', limit: 0, window: 'day' } as const, 'paused'],
])('formats prices %o as %s', (limit, text) => {
  expect(limitSentence(limit)).toBe(text)
})

test.each([
  ['rps', 'requests'],
  ['tpd', 'tokens'],
  ['itpm', 'input tokens'],
  ['otpm', 'output tokens'],
  ['rpq', 'requests'],
  ['budget', 'requests'],
  ['toString', 'requests'],
])('a limit named %s counts %s by default', (name, meter) => {
  expect(meterText({ name })).toBe(meter)
})

test('suggests every name that the core derives a meter from', () => {
  const names = ['r', 't', 'it', 'ot', 'c'].flatMap((meter) =>
    ['s', 'm', 'h', 'd'].map((span) => `${meter}p${span}`),
  )
  expect([...USUAL_NAMES].toSorted()).toEqual(
    names.filter((name) => meterOfName(name) !== undefined).toSorted(),
  )
})
