import { expect, test } from 'vitest'
import { limitSentence } from '../../../dashboard/limits/limit-list.tsx'

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
])('says %o as %s', (limit, text) => {
  expect(limitSentence(limit)).toBe(text)
})
