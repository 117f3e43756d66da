import { expect, test } from 'vitest'
import { limitSentence } from '../../../dashboard/limits/showing/limit-sentence.ts'

const bucket = (capacity: number, refill_rate: number) =>
  ({ meter: 'requests', algorithm: 'token_bucket', capacity, refill_rate }) as const

test.each([
  [bucket(10, 10 / 60), '10 requests, refilled 10 per minute'],
  [bucket(1, 0.5), '1 request, refilled 30 per minute'],
  [{ ...bucket(10_000, 50), meter: 'tokens' } as const, '10,000 tokens, refilled 3,000 per minute'],
  [
    {
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
])('says %o as %s', (limit, text) => {
  expect(limitSentence(limit)).toBe(text)
})
