import { describe, expect, test } from 'vitest'
import { policyBucket } from '../../src/core/bucket/bucket-store.ts'
import type { Alert } from '../../src/core/model/alert.ts'
import type { LimitSize } from '../../src/core/model/limit.ts'
import { namedBucketKey, policyKeyOf } from '../../src/core/model/policy.ts'
import { bucketWriteOf, createAlgorithms, reachedShares } from '../../src/usage/reached-shares.ts'
import type { StreamRecord } from '../../src/usage/stream-usage.ts'
import { SECOND, START } from '../core/test-clock.ts'
import { anAlert } from '../store/store-fixtures.ts'
import { bucketOf, createBucketStream } from './bucket-stream.ts'

const HOUR = 3600n * SECOND

/** Long before the writes: it reports what is newly reached. */
const OLD = anAlert({ name: 'ops', createdAt: 0n, changedAt: 0n })

const MONTH: LimitSize = { algorithm: 'fixed_window', limit: 1000, window: 'month', timeZone: 'UTC' }
const MINUTE: LimitSize = { algorithm: 'fixed_window', limit: 10, window: 'minute', timeZone: 'UTC' }
const PER_MINUTE: LimitSize = { algorithm: 'token_bucket', capacity: 60, refillRate: 1 }
const PER_DAY: LimitSize = { algorithm: 'token_bucket', capacity: 100, refillRate: 100 / 86_400 }
const SLIDING: LimitSize = { algorithm: 'sliding_window', limit: 10, windowSeconds: 7200, slots: 30 }

const reachedIn = (record: StreamRecord, ...alerts: readonly Alert[]) => {
  const write = bucketWriteOf(record, bucketOf)
  return write === undefined
    ? []
    : reachedShares(write, alerts.length === 0 ? [OLD] : alerts, createAlgorithms())
}

const sharesIn = (record: StreamRecord, ...alerts: readonly Alert[]) =>
  reachedIn(record, ...alerts).map(({ share }) => share)

describe('a fixed window', () => {
  test('reports every share in use, with its window and amounts', () => {
    const { charge } = createBucketStream({ usd: MONTH })
    expect(sharesIn(charge('usd', 799, START))).toEqual([])
    expect(reachedIn(charge('usd', 1, START + SECOND))).toEqual([
      {
        bucket: 'ENTITY#team-a#_total_',
        entityId: 'team-a',
        policy: null,
        resource: '_total_',
        alert: 'ops',
        limitName: 'usd',
        meter: null,
        share: 0.8,
        window: { start: START, end: START + 31n * 24n * HOUR },
        used: 800,
        capacity: 1000,
        at: START + 2n * SECOND - 1n,
      },
    ])
    // again with the next write: the event exists by then
    expect(sharesIn(charge('usd', 200, START + 2n * SECOND))).toEqual([0.8, 1])
  })

  test('reports by the window that its state counts in, whatever the clock of the stream says', () => {
    const stream = createBucketStream({ usd: MONTH })
    const lastSecond = START - SECOND
    const record = stream.charge('usd', 900, lastSecond)
    const late = { dynamodb: { ...record.dynamodb, ApproximateCreationDateTime: Number(START / SECOND) + 5 } }
    expect(reachedIn(late)).toMatchObject([{ share: 0.8, window: { end: START } }])
  })

  test('is not reported for a write that does not change it', () => {
    const { charge } = createBucketStream({ usd: MONTH, rpm: PER_MINUTE })
    charge('usd', 900, START)
    expect(sharesIn(charge('rpm', 1, START + 40n * 24n * HOUR))).toEqual([])
  })

  test('shorter than an hour is reported once per hour', () => {
    const { charge } = createBucketStream({ rpm: MINUTE })
    const [first] = reachedIn(charge('rpm', 8, START + 90n * SECOND))
    const [second] = reachedIn(charge('rpm', 9, START + 150n * SECOND))
    expect(first?.window).toEqual({ start: START, end: START + HOUR })
    expect(second?.window).toEqual(first?.window)
  })

  test('that begins with its first charge reports once per window', () => {
    const run: LimitSize = {
      algorithm: 'fixed_window',
      limit: 50,
      window: 'first_use',
      windowSeconds: 86_400,
    }
    const { charge } = createBucketStream({ run })
    expect(reachedIn(charge('run', 40, START + 7n * SECOND))).toMatchObject([
      { share: 0.8, window: { start: START + 7n * SECOND, end: START + 7n * SECOND + 24n * HOUR } },
    ])
    expect(reachedIn(charge('run', 45, START + 30n * HOUR))).toMatchObject([
      { share: 0.8, window: { start: START + 30n * HOUR } },
    ])
  })
})

describe('a limit without windows', () => {
  test('reports a share when it is newly in use, and again after it was not', () => {
    const { charge } = createBucketStream({ tpd: PER_DAY })
    expect(sharesIn(charge('tpd', 79, START))).toEqual([])
    expect(sharesIn(charge('tpd', 2, START))).toEqual([0.8])
    expect(sharesIn(charge('tpd', 1, START + SECOND))).toEqual([])
    // half a day refills half of it
    expect(sharesIn(charge('tpd', 1, START + 12n * HOUR))).toEqual([])
    expect(sharesIn(charge('tpd', 55, START + 12n * HOUR))).toEqual([0.8])
  })

  test.each([
    ['a token bucket per minute', PER_MINUTE, 59, HOUR],
    ['a token bucket per day', PER_DAY, 95, 24n * HOUR],
    ['a sliding window', SLIDING, 9, 2n * HOUR],
  ])('%s is reported once per period, which begins at the epoch', (_, size, amount, period) => {
    const { charge } = createBucketStream({ limit: size })
    const at = START + 5000n * SECOND
    const [event] = reachedIn(charge('limit', amount, at))
    const start = (at / period) * period
    expect(event).toMatchObject({ share: 0.8, window: { start, end: start + period } })
  })

  test('is taken at the end of a second that the stream has rounded down', () => {
    const { charge } = createBucketStream({
      rps: { algorithm: 'token_bucket', capacity: 10, refillRate: 10 },
    })
    const { dynamodb } = charge('rps', 1, START + (9n * SECOND) / 10n)
    const rounded = { dynamodb: { ...dynamodb, ApproximateCreationDateTime: Number(START / SECOND) } }
    expect(sharesIn(rounded)).toEqual([])
  })

  test('in debt reaches shares above the whole', () => {
    const { charge, write } = createBucketStream({ tpd: PER_DAY })
    charge('tpd', 100, START)
    const debt = write([{ does: 'add', path: 'tpd_tat', value: 10n * 864n * SECOND }], START + SECOND)
    const debts = anAlert({ name: 'debt', shares: [1.05, 1.2], changedAt: 0n })
    expect(reachedIn(debt, debts)).toMatchObject([{ share: 1.05, used: 110, capacity: 100 }])
  })
})

test('a concurrency limit counts the slots that are held', () => {
  const { write } = createBucketStream({})
  const at = START + 1_000_000n
  const text = { does: 'set', path: 'parallel_limit', value: 'concurrency 5 with slots of 60s' } as const
  const slots = (...expiries: readonly bigint[]) =>
    write(
      [
        text,
        {
          does: 'set',
          path: 'parallel_slots',
          value: Object.fromEntries(expiries.map((expiry, n) => [`slot${n}`, expiry])),
        },
      ],
      at,
    )
  const later = at + 60n * SECOND
  expect(sharesIn(slots(later, later, later, at))).toEqual([])
  expect(reachedIn(slots(later, later, later, later, at))).toMatchObject([
    { share: 0.8, used: 4, capacity: 5, window: { start: START, end: START + HOUR } },
  ])
})

test('a limit that is made smaller reaches shares by that', () => {
  const { charge, write } = createBucketStream({ tpd: PER_DAY })
  charge('tpd', 50, START)
  const smaller = write(
    [
      { does: 'set', path: 'tpd_limit', value: 'token_bucket 60 per 86400s' },
      { does: 'set', path: 'tpd_tat', value: START + 50n * 1440n * SECOND },
    ],
    START + 1_000_000n,
  )
  expect(reachedIn(smaller)).toMatchObject([{ share: 0.8, used: 50, capacity: 60 }])
})

describe('a limit that denies', () => {
  test('with at least 90 % in use has reached the whole', () => {
    const { charge } = createBucketStream({ usd: MONTH })
    charge('usd', 900, START)
    expect(reachedIn(charge('usd', 150, START))).toMatchObject([
      { share: 0.8, used: 900 },
      { share: 1, used: 900, capacity: 1000 },
    ])
    expect(
      sharesIn(charge('usd', 150, START), anAlert({ name: 'a', shares: [0.95, 1.1], changedAt: 0n })),
    ).toEqual([0.95])
  })

  test('with less in use has not: the request was too large', () => {
    const { charge } = createBucketStream({ usd: MONTH })
    charge('usd', 899, START)
    expect(sharesIn(charge('usd', 150, START))).toEqual([0.8])
  })

  test('is not reported again below the whole, if it has no windows', () => {
    const { charge } = createBucketStream({ tpd: PER_DAY })
    charge('tpd', 95, START)
    expect(sharesIn(charge('tpd', 20, START))).toEqual([1])
  })
})

describe('an alert that was just changed', () => {
  const changedAt = START + HOUR

  test('also reports what was in use before, within ten minutes', () => {
    const alert = anAlert({ name: 'new', changedAt })
    const { charge } = createBucketStream({ tpd: PER_DAY })
    charge('tpd', 95, START)
    expect(sharesIn(charge('tpd', 1, changedAt + SECOND), alert)).toEqual([0.8])
    expect(sharesIn(charge('tpd', 1, changedAt + 601n * SECOND), alert)).toEqual([])
  })
})

describe('an alert observes', () => {
  const policy = policyBucket(policyKeyOf('TENANT', 'acme'))
  const inTeam = () => createBucketStream({ usd: MONTH, rpm: PER_MINUTE })
  const inPolicy = () => createBucketStream({ usd: MONTH }, policy)

  test.each<[string, Partial<Alert>, number, number]>([
    ['every bucket', {}, 1, 1],
    ['one entity', { entityId: 'team-a' }, 1, 0],
    ['another entity', { entityId: 'team-b' }, 0, 0],
    ['one policy', { policy: policyKeyOf('TENANT', 'acme') }, 0, 1],
    ['another policy', { policy: policyKeyOf('TENANT', 'acme2') }, 0, 0],
    ['another scope', { policy: policyKeyOf('MODEL', 'acme') }, 0, 0],
    ['one limit', { limitName: 'usd' }, 1, 1],
    ['another limit', { limitName: 'rpm' }, 0, 0],
  ])('%s', (_, fields, ofTeam, ofPolicy) => {
    const alert = anAlert({ name: 'a', changedAt: 0n, ...fields })
    expect(reachedIn(inTeam().charge('usd', 900, START), alert)).toHaveLength(ofTeam)
    expect(reachedIn(inPolicy().charge('usd', 900, START), alert)).toHaveLength(ofPolicy)
  })

  const named = (tenant: string, name: string) =>
    createBucketStream({ usd: MONTH }, policyBucket(namedBucketKey({ scope: 'SESSION', tenant, name })))

  test.each([
    ['SESSION', '*', ['acme run-1', 'acme run-2', 'other run-1']],
    ['SESSION', 'run-1', ['acme run-1', 'other run-1']],
    ['SESSION', 'acme', []],
    ['USER', '*', []],
  ] as const)('the buckets of names of the policy %s/%s', (scope, selector, expected) => {
    const alert = anAlert({ name: 'a', changedAt: 0n, policy: policyKeyOf(scope, selector) })
    const buckets = ['acme run-1', 'acme run-2', 'other run-1']
    const reported = buckets.filter((bucket) => {
      const [tenant = '', name = ''] = bucket.split(' ')
      return reachedIn(named(tenant, name).charge('usd', 900, START), alert).length > 0
    })
    expect(reported).toEqual(expected)
  })

  test('the bucket of a policy, and names it', () => {
    expect(reachedIn(inPolicy().charge('usd', 900, START))).toMatchObject([
      {
        bucket: 'POLICY#TENANT#acme',
        entityId: null,
        policy: { scope: 'TENANT', selector: 'acme' },
        resource: '_total_',
      },
    ])
  })
})

describe('nothing is reported for', () => {
  const PAUSED: LimitSize = { algorithm: 'fixed_window', limit: 0, window: 'month', timeZone: 'UTC' }

  test('a paused limit', () => {
    const { charge } = createBucketStream({ usd: PAUSED })
    expect(sharesIn(charge('usd', 1, START))).toEqual([])
  })

  test('an algorithm of a later version', () => {
    const { write } = createBucketStream({})
    const actions = [
      { does: 'set', path: 'x_limit', value: 'leaky_bucket 5 per 60s' },
      { does: 'set', path: 'x_n', value: 9n },
    ] as const
    expect(sharesIn(write(actions, START))).toEqual([])
  })

  test('a deleted bucket, an item that is no bucket, or a record without a time', () => {
    const { charge } = createBucketStream({ usd: MONTH })
    const { dynamodb } = charge('usd', 900, START)
    const { NewImage, ApproximateCreationDateTime: _, ...rest } = dynamodb ?? {}
    expect(sharesIn({ dynamodb: { ...dynamodb, NewImage: undefined } })).toEqual([])
    expect(sharesIn({ dynamodb: { ...rest, NewImage } })).toEqual([])
    const limits = { PK: { S: 'ENTITY#team-a' }, SK: { S: 'LIMITS#_total_' } }
    expect(sharesIn({ dynamodb: { ...dynamodb, Keys: limits } })).toEqual([])
  })
})

test('a reset begins another generation, which compares with nothing in use', () => {
  const { charge } = createBucketStream({ tpd: PER_DAY })
  charge('tpd', 95, START)
  const { dynamodb } = charge('tpd', 1, START + 1_000_000n)
  const born = { N: String(START + 1n) }
  const reset = { dynamodb: { ...dynamodb, NewImage: { ...dynamodb?.NewImage, born } } }
  expect(sharesIn(reset)).toEqual([0.8])
})

test('a generation that begins with a charge compares with nothing in use', () => {
  const stream = createBucketStream({ tpd: PER_DAY })
  stream.charge('tpd', 95, START)
  stream.forget()
  const record = stream.charge('tpd', 85, START + SECOND)
  expect(sharesIn(record)).toEqual([0.8])
})
