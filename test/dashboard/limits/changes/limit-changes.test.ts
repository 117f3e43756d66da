import { describe, expect, test } from 'vitest'
import type { Limit } from '../../../../dashboard/api/responses.ts'
import { changesOf } from '../../../../dashboard/limits/limit-changes.tsx'
import { draftOf, limitOf } from '../../../../dashboard/limits/limit-draft.ts'

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
  test('are none where nothing was touched', () => {
    expect(changesOf([RPM], [limitOf(draftOf(RPM, 0))], [INHERITED])).toEqual([])
  })

  test('are none where what is the default anyway is said or not', () => {
    const said: Limit = { ...RPM, mode: 'enforce', warn_at: 0.8, refund: 'strict' }
    expect(changesOf([said], [limitOf(draftOf(RPM, 0))])).toEqual([])
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

  test('show the smallest change of a rate or a window', () => {
    const rate = { ...RPM, refill_rate: 0.1667 }
    expect(changesOf([RPM], [rate])).toHaveLength(1)
    const window = { ...RPM, algorithm: 'sliding_window' as const, limit: 10, window_seconds: 3600 }
    expect(changesOf([window], [{ ...window, window_seconds: 3601 }])).toHaveLength(1)
  })

  test('tell what is inherited again where a limit is removed', () => {
    expect(changesOf([RPM], [], [INHERITED])).toEqual([
      { kind: 'removed', name: 'rpm', size: '10, refilled 10 per minute', again: INHERITED },
    ])
    expect(changesOf([RPM], [])).toMatchObject([{ kind: 'removed', again: undefined }])
  })

  test('tell what an added limit stands before; another name is another limit', () => {
    const { source: _, ...same } = RPM
    expect(changesOf([], [same], [INHERITED])).toMatchObject([{ kind: 'added', instead: INHERITED }])
    const renamed = changesOf([RPM], [{ ...same, name: 'burst' }])
    expect(renamed.map(({ kind, name }) => [kind, name])).toEqual([
      ['added', 'burst'],
      ['removed', 'rpm'],
    ])
  })
})
