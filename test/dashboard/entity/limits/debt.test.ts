import { describe, expect, test } from 'vitest'
import { debtOf } from '../../../../dashboard/entity/bucket-limits.tsx'

const BUCKET = { algorithm: 'token_bucket', refill_rate: 50 } as const
const EMPTY = { name: 'tpm', available: 0, capacity: 3000 }

describe('the debt of a token bucket', () => {
  test('is what refills beyond the capacity until the bucket is full', () => {
    expect(debtOf(BUCKET, { ...EMPTY, reset_after_seconds: 84 })).toEqual({ amount: 1200, seconds: 24 })
  })

  test('is rounded to a whole amount, at least 1', () => {
    expect(debtOf(BUCKET, { ...EMPTY, reset_after_seconds: 60.043 })?.amount).toBe(2)
    expect(debtOf(BUCKET, { ...EMPTY, reset_after_seconds: 60.002 })).toBeUndefined()
  })

  test('is none of an empty bucket, whose time is rounded up, nor of one with tokens left', () => {
    expect(debtOf(BUCKET, { ...EMPTY, reset_after_seconds: 60 })).toBeUndefined()
    const fast = { ...BUCKET, refill_rate: 1_000_000 }
    expect(debtOf(fast, { ...EMPTY, capacity: 333_333, reset_after_seconds: 0.334 })).toBeUndefined()
    expect(debtOf(BUCKET, { ...EMPTY, available: 5, reset_after_seconds: 84 })).toBeUndefined()
  })

  test('is unknown of windows, and none of a paused limit', () => {
    const window = { algorithm: 'fixed_window' } as const
    expect(debtOf(window, { ...EMPTY, reset_after_seconds: 84 })).toBeUndefined()
    const paused = { ...EMPTY, capacity: 0, reset_after_seconds: 0 }
    expect(debtOf({ ...BUCKET, refill_rate: 0 }, paused)).toBeUndefined()
  })
})
