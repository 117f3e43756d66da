import { describe, expect, test } from 'vitest'
import type { Limit } from '../../../dashboard/api/answers.ts'
import { draftOf, limitOf, newDraft, refillRateOf } from '../../../dashboard/limits/limit-draft.ts'

const BUCKET: Limit = {
  name: 'tpm',
  meter: 'tokens',
  algorithm: 'token_bucket',
  capacity: 1000,
  refill_rate: 1000 / 60,
  source: 'entity:_default_',
}

const LIMITS: readonly Limit[] = [
  BUCKET,
  { ...BUCKET, refill_rate: 0.123456789 },
  { ...BUCKET, mode: 'shadow', warn_at: 0.5, refund: 'full', on_unavailable: 'local', lease_ttl_seconds: 0 },
  { ...BUCKET, headroom: { normal: 0.1, low: 0.3 } },
  {
    name: 'rph',
    meter: 'requests',
    algorithm: 'sliding_window',
    capacity: 20,
    limit: 20,
    window_seconds: 3600,
    slots: 30,
    source: 'policy:GLOBAL:*',
  },
  {
    name: 'budget',
    meter: 'cost_usd_micros',
    algorithm: 'fixed_window',
    capacity: 5,
    limit: 5,
    window: 'month',
    time_zone: 'Europe/Berlin',
    source: 'system:gpt-4',
  },
]

describe('a draft of a limit', () => {
  test.each(LIMITS)('says what the limit said while nothing is changed: %o', (limit) => {
    const { source: _, capacity, ...rest } = limit
    const sent = limit.algorithm === 'token_bucket' ? { capacity, ...rest } : rest
    expect(limitOf(draftOf(limit, 0))).toEqual(sent)
  })

  test('shows a rate by the period in which it is a whole number', () => {
    expect(draftOf(BUCKET, 0)).toMatchObject({ refill: '1000', refillPer: 'minute' })
    expect(draftOf({ ...BUCKET, refill_rate: 5 / 3600 }, 0)).toMatchObject({ refill: '5', refillPer: 'hour' })
    expect(draftOf({ ...BUCKET, refill_rate: 0.1234 }, 0)).toMatchObject({
      refill: '0.1234',
      refillPer: 'second',
    })
  })

  test('makes a rate per second of what is typed per period', () => {
    const draft = { ...draftOf(BUCKET, 0), refill: '90' }
    expect(refillRateOf(draft)).toBe(1.5)
    expect(refillRateOf({ ...draft, refillPer: 'hour' })).toBe(0.025)
  })

  test('keeps what it does not show', () => {
    const unknown = { ...BUCKET, hard_stop: true }
    expect(limitOf({ ...draftOf(unknown, 0), amount: '5' })).toMatchObject({ hard_stop: true, capacity: 5 })
  })

  test('leaves out the size of the algorithm that it had before', () => {
    const draft = { ...draftOf(BUCKET, 0), algorithm: 'fixed_window', amount: '7' }
    expect(limitOf(draft)).toEqual({
      name: 'tpm',
      meter: 'tokens',
      algorithm: 'fixed_window',
      limit: 7,
      window: 'day',
    })
  })

  test('leaves out what was never typed', () => {
    expect(limitOf({ ...newDraft(0), name: ' rpm ' })).toEqual({ name: 'rpm', algorithm: 'token_bucket' })
  })
})
