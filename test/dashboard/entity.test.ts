import { describe, expect, test } from 'vitest'
import type { Entity } from '../../dashboard/api/responses.ts'
import { actionText, fieldDiff, limitDiff, resourceOf } from '../../dashboard/entity/audit-section.tsx'
import { debtOf, inheritedLimits, ownLimits } from '../../dashboard/entity/bucket-limits.tsx'
import {
  entityDraftOf,
  entityPatch,
  newEntityBody,
  newEntityDraft,
} from '../../dashboard/entity/entity-draft.ts'
import { expiryIn } from '../../dashboard/entity/key-dialogs.tsx'
import { statusOf } from '../../dashboard/entity/keys-section.tsx'
import { waitText } from '../../dashboard/entity/limits-section.tsx'
import { momentText } from '../../dashboard/parts/time.ts'
import { sumOf, usageOverTime, usedResources } from '../../dashboard/usage/usage-charts.tsx'

const BOB: Entity = {
  entity_id: 'key-bob',
  name: 'Bob',
  parent_id: 'proj-demo',
  kind: 'key',
  cascade: true,
  role: null,
  priority: 'normal',
  models: ['gpt-4'],
  disabled: false,
  bypass: false,
  created_at: 1,
  metadata: { team: 'blue' },
}

describe('a draft of an entity', () => {
  test('patches only changed fields', () => {
    const draft = entityDraftOf(BOB)
    expect(entityPatch(BOB, draft)).toEqual({})
    expect(entityPatch(BOB, { ...draft, name: ' Robert ', models: '', parentId: '', bypass: true })).toEqual({
      name: 'Robert',
      models: null,
      parent_id: null,
      bypass: true,
    })
    expect(entityPatch(BOB, { ...draft, models: 'gpt-4,gpt-4o  a/b' })).toEqual({
      models: ['gpt-4', 'gpt-4o', 'a/b'],
    })
  })

  test('is created with the fields that creation allows', () => {
    const draft = { ...newEntityDraft('proj-demo'), id: ' dora ', name: 'Dora' }
    expect(newEntityBody(draft)).toEqual({
      entity_id: 'dora',
      name: 'Dora',
      kind: 'key',
      parent_id: 'proj-demo',
      role: null,
      priority: 'normal',
      models: null,
      cascade: true,
    })
  })
})

test('separates the limits of a resource from inherited ones', () => {
  const limit = (source: string) => ({
    name: 'rpm',
    meter: 'requests' as const,
    algorithm: 'token_bucket' as const,
    capacity: 10,
    refill_rate: 1,
    source,
  })
  const explained = {
    resource: 'gpt-4',
    limits: [
      {
        name: 'rpm',
        winner: limit('entity:gpt-4'),
        overrides: [limit('entity:_default_'), limit('environment')],
      },
      { name: 'tpm', winner: limit('role:user:gpt-4'), overrides: [] },
    ],
  }
  expect(ownLimits(explained).map(({ source }) => source)).toEqual(['entity:gpt-4'])
  expect(inheritedLimits(explained).map(({ source }) => source)).toEqual([
    'entity:_default_',
    'role:user:gpt-4',
  ])
})

const BUCKET = { algorithm: 'token_bucket', refill_rate: 50 } as const
const EMPTY = { name: 'tpm', available: 0, capacity: 3000 }

describe('the debt of a token bucket', () => {
  test('is the refill beyond the capacity until the bucket is full', () => {
    expect(debtOf(BUCKET, { ...EMPTY, reset_after_seconds: 84 })).toEqual({ amount: 1200, seconds: 24 })
  })

  test('is rounded to a whole amount, at least 1', () => {
    expect(debtOf(BUCKET, { ...EMPTY, reset_after_seconds: 60.043 })?.amount).toBe(2)
    expect(debtOf(BUCKET, { ...EMPTY, reset_after_seconds: 60.002 })).toBeUndefined()
  })

  test('is none for an empty bucket, whose time is rounded up, and for one with tokens', () => {
    expect(debtOf(BUCKET, { ...EMPTY, reset_after_seconds: 60 })).toBeUndefined()
    const fast = { ...BUCKET, refill_rate: 1_000_000 }
    expect(debtOf(fast, { ...EMPTY, capacity: 333_333, reset_after_seconds: 0.334 })).toBeUndefined()
    expect(debtOf(BUCKET, { ...EMPTY, available: 5, reset_after_seconds: 84 })).toBeUndefined()
  })

  test('is unknown for windows, and none for a paused limit', () => {
    const window = { algorithm: 'fixed_window' } as const
    expect(debtOf(window, { ...EMPTY, reset_after_seconds: 84 })).toBeUndefined()
    const paused = { ...EMPTY, capacity: 0, reset_after_seconds: 0 }
    expect(debtOf({ ...BUCKET, refill_rate: 0 }, paused)).toBeUndefined()
  })
})

test.each([
  [0, null, 'May pass now'],
  [3.2, 'tpm', 'May pass in 3.2 s, limited by tpm'],
  [null, 'tpm', 'Can never pass, limited by tpm: the limit is smaller than the request, or paused'],
] as const)('describes a wait of %s s', (wait_seconds, limiting, text) => {
  expect(waitText({ entity_id: 'key-bob', wait_seconds, limiting })).toBe(text)
})

test('distinguishes active, expired and revoked keys', () => {
  expect(statusOf({ status: 'active', expires_at: null }, 100)).toBe('active')
  expect(statusOf({ status: 'active', expires_at: 101 }, 100)).toBe('active')
  expect(statusOf({ status: 'active', expires_at: 100 }, 100)).toBe('expired')
  expect(statusOf({ status: 'revoked', expires_at: 50 }, 100)).toBe('revoked')
  expect([expiryIn('', 100), expiryIn('0.5', 100)]).toEqual([null, 43_300])
})

const HOUR = 3600
const START = 1_767_225_600
const NOW = START + 30 * 60

const point = (start: number, resource: string, requests: number) => ({
  start,
  resource,
  requests,
  tokens: requests * 10,
  input_tokens: requests * 4,
  output_tokens: requests * 6,
  cost_usd_micros: requests,
  denied: 1,
})

describe('usage over time', () => {
  test('has every hour including idle ones, oldest first, with the resources of an hour summed', () => {
    const points = [point(START, 'gpt-4', 2), point(START, 'gpt-4o', 3), point(START - 2 * HOUR, 'gpt-4', 1)]
    const hours = usageOverTime(points, { granularity: 'hour', now: NOW })
    expect(hours).toHaveLength(24)
    expect(hours.map(({ start }) => start)).toEqual(hours.map((_, index) => START - (23 - index) * HOUR))
    expect(hours.slice(-3).map(({ requests, denied }) => [requests, denied])).toEqual([
      [1, 1],
      [0, 0],
      [5, 2],
    ])
  })

  test('has 30 days', () => {
    const days = usageOverTime([point(START, 'gpt-4', 2)], { granularity: 'day', now: NOW })
    expect(days).toHaveLength(30)
    expect(days.at(-1)).toMatchObject({ start: START, requests: 2 })
  })

  test('includes the hour of a server whose clock is ahead', () => {
    const hours = usageOverTime([point(START + HOUR, 'gpt-4', 2)], { granularity: 'hour', now: NOW })
    expect(hours.at(-1)).toMatchObject({ start: START + HOUR, requests: 2 })
  })

  test('is summed, and lists each resource once', () => {
    const points = [point(START, 'b', 2), point(START, 'a', 3), point(START - HOUR, 'b', 1)]
    expect(sumOf(points)).toMatchObject({ requests: 6, tokens: 60, denied: 3 })
    expect(usedResources(points)).toEqual(['a', 'b'])
  })
})

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
