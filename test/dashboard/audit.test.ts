import { describe, expect, test } from 'vitest'
import { actionText, fieldDiff, limitDiff, resourceOf } from '../../dashboard/entity/audit-section.tsx'
import { momentText } from '../../dashboard/parts/time.ts'

const RPM = { name: 'rpm', meter: 'requests', algorithm: 'token_bucket', capacity: 10, refill_rate: 1 }

describe('the changes in an audit record', () => {
  test('are the fields that differ, before and after, at any depth', () => {
    const before = { name: 'Bob', models: ['gpt-4'], bypass: false, metadata: { team: 'red' } }
    const after = { name: 'Bob', models: ['gpt-4', 'gpt-4o'], bypass: true, metadata: { team: 'blue' } }
    expect(fieldDiff({ before, after })).toEqual([
      { what: 'models', before: 'gpt-4', after: 'gpt-4, gpt-4o' },
      { what: 'bypass', before: 'no', after: 'yes' },
      { what: 'metadata team', before: 'red', after: 'blue' },
    ])
  })

  test('are all fields of a new item that are not null', () => {
    const after = { entity_id: 'key-bob', name: 'Bob', role: null, created_at: 1 }
    expect(fieldDiff({ before: null, after })).toEqual([{ what: 'name', before: undefined, after: 'Bob' }])
    expect(fieldDiff({ before: after, after: null })).toEqual([
      { what: 'name', before: 'Bob', after: undefined },
    ])
  })

  test('compare limits by name, and include their resource', () => {
    const record = {
      before: { resource: 'gpt-4', limits: [RPM] },
      after: {
        resource: 'gpt-4',
        limits: [
          { ...RPM, capacity: 20 },
          { ...RPM, name: 'rps' },
        ],
      },
    }
    expect(fieldDiff(record)).toEqual([])
    expect(resourceOf(record)).toBe('gpt-4')
    expect(limitDiff(record).map(({ kind, name }) => [kind, name])).toEqual([
      ['changed', 'rpm'],
      ['added', 'rps'],
    ])
  })

  test('include resets without a resource', () => {
    const record = { before: null, after: { resource: null, limit_name: 'rpm', amount: 5 } }
    expect(resourceOf(record)).toBeUndefined()
    expect(fieldDiff(record)).toEqual([
      { what: 'limit name', before: undefined, after: 'rpm' },
      { what: 'amount', before: undefined, after: '5' },
    ])
  })

  test('show money in dollars', () => {
    const after = { resource: 'gpt-4', limit_name: 'budget', amount: 2_500_000, meter: 'cost_usd_micros' }
    expect(fieldDiff({ before: null, after })).toEqual([
      { what: 'limit name', before: undefined, after: 'budget' },
      { what: 'amount', before: undefined, after: '$2.50' },
    ])
    const tokens = { ...after, meter: 'tokens' }
    expect(fieldDiff({ before: null, after: tokens })).toContainEqual({
      what: 'amount',
      before: undefined,
      after: '2,500,000',
    })
  })

  test('show a rotation as the change of the secret and of the old key', () => {
    const key = { key_id: 'k1', name: 'ci', masked_secret: 'zk_old...', status: 'active', expires_at: null }
    const created = { ...key, key_id: 'k2', masked_secret: 'zk_new...', created_at: 2 }
    const rotated = (old: object) =>
      fieldDiff({ before: key, after: { old: { ...key, ...old }, new: created } })
    const name = { what: 'name', before: undefined, after: 'ci' }
    const secret = { what: 'masked secret', before: 'zk_old...', after: 'zk_new...' }
    expect(rotated({ expires_at: 1_795_998_273 })).toEqual([
      name,
      secret,
      { what: 'old key expires at', before: undefined, after: momentText(1_795_998_273) },
    ])
    expect(rotated({ status: 'revoked' })).toEqual([
      name,
      secret,
      { what: 'old key status', before: 'active', after: 'revoked' },
    ])
  })

  test('name known actions, and show others as they are', () => {
    expect(actionText('key.rotate')).toBe('Key rotated')
    expect(actionText('something.new')).toBe('something.new')
  })
})
