import { describe, expect, test } from 'vitest'
import type { Limit } from '../../dashboard/api/responses.ts'
import { changesOf } from '../../dashboard/limits/limit-changes.tsx'
import { draftOf, limitOf, newDraft } from '../../dashboard/limits/limit-draft.ts'

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
  {
    name: 'run',
    meter: 'cost_usd_micros',
    algorithm: 'fixed_window',
    capacity: 2_000_000,
    limit: 2_000_000,
    window: 'first_use',
    window_seconds: 3600,
    source: 'role:agent:_default_',
  },
]

describe('a draft of a limit', () => {
  test.each(LIMITS)('sends an unchanged limit as it was: %o', (limit) => {
    const { source: _, capacity, ...rest } = limit
    const sent = limit.algorithm === 'token_bucket' ? { capacity, ...rest } : rest
    expect(limitOf(draftOf(limit, 0))).toEqual(sent)
  })

  test('of a paused limit has no refill rate to keep', () => {
    const draft = draftOf({ ...BUCKET, capacity: 0, refill_rate: 0 }, 0)
    expect(draft.size.refill).toBe('')
    expect(limitOf(draft)).toMatchObject({ capacity: 0, refill_rate: 0 })
    expect(limitOf({ ...draft, amount: '5' })).not.toHaveProperty('refill_rate')
  })

  test('shows and accepts money in dollars, and sends micro-dollars', () => {
    const budget: Limit = {
      ...BUCKET,
      name: 'budget',
      meter: 'cost_usd_micros',
      capacity: 12_500_000,
      refill_rate: 12_500_000 / 86_400,
    }
    const draft = draftOf(budget, 0)
    expect(draft).toMatchObject({ amount: '12.5', size: { refill: '12.5', refillPer: 'day' } })
    const changed = limitOf({ ...draft, amount: '0.3', size: { refill: '0.3', refillPer: 'hour' } })
    expect(changed).toMatchObject({ capacity: 300_000, refill_rate: 300_000 / 3600 })
    const window = { ...newDraft(0), name: 'b', meter: 'cost_usd_micros', algorithm: 'fixed_window' }
    expect(limitOf({ ...window, amount: '0.000001' })).toMatchObject({ limit: 1 })
    expect(limitOf({ ...window, amount: '1.005' })).toMatchObject({ limit: 1_005_000 })
  })

  test('keeps the exact size and rate if they are not edited', () => {
    for (const capacity of [9_007_199_254_740_991, 9_007_199_254_740_989, 1]) {
      const budget: Limit = {
        ...BUCKET,
        name: 'b',
        meter: 'cost_usd_micros',
        capacity,
        refill_rate: 1.23456789e-3,
      }
      expect(limitOf(draftOf(budget, 0))).toMatchObject({ capacity, refill_rate: 1.23456789e-3 })
    }
  })

  test('interprets an amount by the meter, also if the meter is chosen later', () => {
    const typed = { ...newDraft(0), name: 'b', amount: '5', size: { refill: '5' } }
    expect(limitOf(typed)).toMatchObject({ capacity: 5 })
    expect(limitOf({ ...typed, meter: 'cost_usd_micros' })).toMatchObject({ capacity: 5_000_000 })
    const tokens = { ...draftOf(BUCKET, 0), meter: 'cost_usd_micros' }
    expect(limitOf(tokens)).toMatchObject({ capacity: 1_000_000_000, refill_rate: 1_000_000_000 / 60 })
  })

  test('pauses a limit by a size of 0, with any refill', () => {
    expect(limitOf({ ...draftOf(BUCKET, 0), amount: '0' })).toMatchObject({ capacity: 0, refill_rate: 0 })
    expect(limitOf({ ...newDraft(0), name: 'rpd', algorithm: 'fixed_window', amount: '0' })).toMatchObject({
      limit: 0,
    })
  })

  test('sends no period beside a capacity', () => {
    const short = { ...BUCKET, limit: 1000, per: 'minute' }
    expect(limitOf(draftOf(short, 0))).toEqual(limitOf(draftOf(BUCKET, 0)))
  })

  test('shows a rate by the period in which it is a whole number', () => {
    expect(draftOf(BUCKET, 0)).toMatchObject({ size: { refill: '1000', refillPer: 'minute' } })
    expect(draftOf({ ...BUCKET, refill_rate: 5 / 3600 }, 0)).toMatchObject({
      size: { refill: '5', refillPer: 'hour' },
    })
    expect(draftOf({ ...BUCKET, refill_rate: 0.1234 }, 0)).toMatchObject({
      size: { refill: '0.1234', refillPer: 'second' },
    })
  })

  test('converts a rate per period to a rate per second', () => {
    const rateOf = (refillPer: string) =>
      limitOf({ ...draftOf(BUCKET, 0), size: { refill: '90', refillPer } }).refill_rate
    expect(rateOf('minute')).toBe(1.5)
    expect(rateOf('hour')).toBe(0.025)
  })

  test('keeps fields that it does not show', () => {
    const unknown = { ...BUCKET, hard_stop: true }
    expect(limitOf({ ...draftOf(unknown, 0), amount: '5' })).toMatchObject({ hard_stop: true, capacity: 5 })
  })

  test('leaves out the size of the previous algorithm', () => {
    const draft = { ...draftOf(BUCKET, 0), algorithm: 'fixed_window', amount: '7' }
    expect(limitOf(draft)).toEqual({
      name: 'tpm',
      meter: 'tokens',
      algorithm: 'fixed_window',
      limit: 7,
      window: 'day',
    })
  })

  test('leaves out empty fields', () => {
    expect(limitOf({ ...newDraft(0), name: ' rpm ' })).toEqual({ name: 'rpm', algorithm: 'token_bucket' })
  })
})

const RPM: Limit = {
  name: 'rpm',
  meter: 'requests',
  algorithm: 'token_bucket',
  capacity: 10,
  refill_rate: 10 / 60,
  source: 'entity:_default_',
}

const INHERITED: Limit = { ...RPM, capacity: 60, refill_rate: 1, source: 'environment' }

describe('changes of limits', () => {
  test('are none without edits', () => {
    expect(changesOf([RPM], [limitOf(draftOf(RPM, 0))], [INHERITED])).toEqual([])
  })

  test('are none if a default is stated or left out', () => {
    const stated: Limit = { ...RPM, mode: 'enforce', warn_at: 0.8, refund: 'strict' }
    expect(changesOf([stated], [limitOf(draftOf(RPM, 0))])).toEqual([])
  })

  test('show each field before and after', () => {
    const { source: _, ...same } = RPM
    const after = { ...same, capacity: 20, mode: 'warn' as const, headroom: { low: 0.3 } }
    expect(changesOf([RPM], [after])).toEqual([
      {
        kind: 'changed',
        name: 'rpm',
        fields: [
          { what: 'Size', before: '10, refilled 10 per minute', after: '20, refilled 10 per minute' },
          { what: 'Mode', before: 'enforce', after: 'warn' },
          { what: 'Kept from low priority', before: '0%', after: '30%' },
        ],
      },
    ])
  })

  test('include the smallest change of a rate or a window', () => {
    const rate = { ...RPM, refill_rate: 0.1667 }
    expect(changesOf([RPM], [rate])).toHaveLength(1)
    const window = { ...RPM, algorithm: 'sliding_window' as const, limit: 10, window_seconds: 3600 }
    expect(changesOf([window], [{ ...window, window_seconds: 3601 }])).toHaveLength(1)
  })

  test('include the inherited limit that replaces a removed one', () => {
    expect(changesOf([RPM], [], [INHERITED])).toEqual([
      { kind: 'removed', name: 'rpm', size: '10, refilled 10 per minute', inherited: INHERITED },
    ])
    expect(changesOf([RPM], [])).toMatchObject([{ kind: 'removed', inherited: undefined }])
  })

  test('include the inherited limit that an added one replaces; another name is another limit', () => {
    const { source: _, ...same } = RPM
    expect(changesOf([], [same], [INHERITED])).toMatchObject([{ kind: 'added', replaces: INHERITED }])
    const renamed = changesOf([RPM], [{ ...same, name: 'burst' }])
    expect(renamed.map(({ kind, name }) => [kind, name])).toEqual([
      ['added', 'burst'],
      ['removed', 'rpm'],
    ])
  })
})
