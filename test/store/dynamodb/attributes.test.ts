import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import {
  dayOf,
  fromAttribute,
  fromIsoTime,
  toIsoTime,
  toItem,
} from '../../../src/store/dynamodb/attributes.ts'
import { reservationItem, toReservation } from '../../../src/store/dynamodb/reservation-store.ts'
import {
  bucketTableKey,
  entityBucketOf,
  entityKey,
  usageHourKey,
} from '../../../src/store/dynamodb/table-keys.ts'
import { entityOwner } from '../../core/test-config.ts'
import { createTestWorld } from '../../core/test-limiter.ts'

describe('a time as text', () => {
  test.each<[bigint, string]>([
    [0n, '1970-01-01T00:00:00.000000000Z'],
    [1_790_000_000_000_000_001n, '2026-09-21T14:13:20.000000001Z'],
    [1_790_000_000_999_999_999n, '2026-09-21T14:13:20.999999999Z'],
  ])('%i ns is %s, and back', (ns, text) => {
    expect(toIsoTime(ns)).toBe(text)
    expect(fromIsoTime(text)).toBe(ns)
    expect(dayOf(ns)).toBe(text.slice(0, 10))
  })

  test('is read with fewer digits of a second too', () => {
    expect(fromIsoTime('2026-09-21T14:13:20Z')).toBe(1_790_000_000_000_000_000n)
    expect(fromIsoTime('2026-09-21T14:13:20.5Z')).toBe(1_790_000_000_500_000_000n)
  })

  test.each([
    '',
    'now',
    '2026-09-21',
    '2026-09-21T14:13:20',
    '2026-13-21T14:13:20Z',
    '2026-09-21T14:13:20+01:00',
  ])('is not %j', (text) => {
    expect(fromIsoTime(text)).toBeUndefined()
  })
})

describe('JSON as an attribute', () => {
  test.each([
    '{"constructor":"x","b":1}',
    '{"a":{"constructor":{"name":"Set"}}}',
    '{"a":{"__proto__":"x","toString":null}}',
    '[{"valueOf":[]},"",0,-1.5,true,{}]',
  ])('%s is stored and read key by key', (text) => {
    expect(JSON.stringify(fromAttribute(toItem({ value: JSON.parse(text) }).value))).toBe(text)
  })
})

const bucketOf = ({ PK, SK }: { PK: string; SK: string }) => entityBucketOf(PK, SK)

test("finds an entity's bucket again by its key", () => {
  expect(bucketOf(bucketTableKey(entityBucket('key-bob', 'org/gpt-4')))).toEqual({
    entityId: 'key-bob',
    resource: 'org/gpt-4',
  })
})

test('recognizes no other item as the bucket of an entity', () => {
  expect(bucketOf(bucketTableKey({ kind: 'policy', scope: 'GLOBAL', selector: '*' }))).toBeUndefined()
  expect(bucketOf(entityKey('key-bob'))).toBeUndefined()
  expect(bucketOf(usageHourKey('key-bob', 0, 'gpt-4', 1n))).toBeUndefined()
})

describe('the item of a reservation', () => {
  test('keeps all that limits of every algorithm remember of a charge', async () => {
    const { config, node, clock } = createTestWorld()
    config.putEntity('project')
    config.putEntity('key', { parentId: 'project' })
    const limits = parseLimits(
      [
        { name: 'rpm', capacity: 10, refill_rate: 1 / 60, refund: 'full' },
        { name: 'rph', algorithm: 'sliding_window', limit: 10, window_seconds: 3600, mode: 'warn' },
        { name: 'tpd', algorithm: 'fixed_window', limit: 1000, window: 'day', time_zone: 'Europe/Berlin' },
        { name: 'otpm', capacity: 100, refill_rate: 1 },
      ],
      'limits',
    )
    for (const id of ['project', 'key']) config.putLimits(entityOwner(id), '_default_', limits)
    for (const charge of [1, 2, 3]) {
      clock.advance(200_000_000_000n)
      const cost = { requests: charge, tokens: 7 }
      const decision = await node.limiter.decide({ entityId: 'key', cost, settles: true })
      if (!decision.allowed) throw new Error('denied')
      const { charges } = decision.reservation
      expect(charges.parts.flatMap(({ receipt }) => receipt?.limits ?? [])).toHaveLength(8)
      const reservation = {
        id: 'r1',
        ownerId: 'key',
        charges,
        createdAt: clock.now(),
        expiresAt: clock.now(),
      }
      expect(toReservation(reservationItem(reservation))).toStrictEqual(reservation)
    }
  })
})
