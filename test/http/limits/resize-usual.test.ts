import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import { limitToJson } from '../../../src/core/model/json.ts'
import { type Limit, usualLimits } from '../../../src/core/model/limit.ts'
import { resizeUsual, type UsualChange } from '../../../src/http/limits/resize-usual.ts'

const IN_FORCE = usualLimits({ rpm: 60, tpm: 6000, windowSeconds: 60 })

const resized = (own: readonly Limit[], change: UsualChange, inForce = IN_FORCE) =>
  resizeUsual(own, inForce, change, 30).map(limitToJson)

const bucket = (name: 'rpm' | 'tpm', capacity: number, seconds: number) => ({
  name,
  meter: name === 'rpm' ? 'requests' : 'tokens',
  algorithm: 'token_bucket',
  capacity,
  refill_rate: capacity / seconds,
})

describe('resizing the usual limits', () => {
  test('changes the named ones, in the effective window of each', () => {
    expect(resized([], { rpm: 5 })).toEqual([bucket('rpm', 5, 60)])
    expect(resized([], { tpm: 5 }, [])).toEqual([bucket('tpm', 5, 30)])
    expect(resized([], { rpm: 5, tpm: 7, windowSeconds: 10 })).toEqual([
      bucket('rpm', 5, 10),
      bucket('tpm', 7, 10),
    ])
  })

  test('changes all of them if only the window is named', () => {
    expect(resized([], { windowSeconds: 10 })).toEqual([bucket('rpm', 60, 10), bucket('tpm', 6000, 10)])
    expect(resized([], { windowSeconds: 10 }, [])).toEqual([])
  })

  test('keeps the amounts of a schedule, in the new window', () => {
    const night = { cron: '0 22 * * *', time_zone: 'UTC', duration_seconds: 3600 }
    const own = parseLimits(
      [
        {
          name: 'rpm',
          ...{ algorithm: 'sliding_window', limit: 10, window_seconds: 60 },
          schedule: [{ ...night, limit: 30 }],
        },
        { name: 'tpm', capacity: 100, refill_rate: 1, schedule: [{ ...night, capacity: 0 }] },
      ],
      'limits',
    )
    expect(resized(own, { rpm: 5, windowSeconds: 10 }, own)).toEqual([
      { ...bucket('rpm', 5, 10), schedule: [{ ...night, capacity: 30, refill_rate: 3 }] },
      { ...bucket('tpm', 100, 10), schedule: [{ ...night, capacity: 0, refill_rate: 0 }] },
    ])
  })

  test('keeps their order and other properties, and leaves other limits unchanged', () => {
    const own = parseLimits(
      [
        { name: 'rpd', algorithm: 'fixed_window', limit: 100, window: 'day' },
        { name: 'rpm', algorithm: 'sliding_window', limit: 10, window_seconds: 60, mode: 'warn' },
        { name: 'otpm', capacity: 5, refill_rate: 1 },
      ],
      'limits',
    )
    const [day, , out] = own.map(limitToJson)
    expect(resized(own, { rpm: 20 }, own)).toEqual([day, { ...bucket('rpm', 20, 60), mode: 'warn' }, out])
  })

  test.each([
    ['rpm_limit', { rpm: 700_000_000, windowSeconds: 60 }],
    ['tpm_limit', { rpm: 1, tpm: 1, windowSeconds: 1_000_000_000_000 }, 'rpm_limit'],
  ])('is rejected by the name of the field if the size is invalid: %s', (field, change, named = field) => {
    expect(() => resized([], change)).toThrow(expect.objectContaining({ field: named }))
  })

  test('is rejected if there are too many', () => {
    const own = parseLimits(
      Array.from({ length: 8 }, (_, index) => ({
        name: `own${index}`,
        meter: 'requests',
        capacity: 1,
        refill_rate: 1,
      })),
      'limits',
    )
    expect(() => resized(own, { tpm: 5 })).toThrow(expect.objectContaining({ field: 'tpm_limit' }))
  })
})
