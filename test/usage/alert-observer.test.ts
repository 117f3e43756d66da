import { beforeEach, describe, expect, test } from 'vitest'
import { entityBucket, policyBucket } from '../../src/core/bucket/bucket-store.ts'
import type { Alert } from '../../src/core/model/alert.ts'
import { StoreUnavailable } from '../../src/core/model/errors.ts'
import type { LimitSize } from '../../src/core/model/limit.ts'
import { policyLimitSet } from '../../src/core/model/limit-set.ts'
import { namedBucketKey, policyKeyOf } from '../../src/core/model/policy.ts'
import type { AlertEventStore } from '../../src/core/ports/alert-store.ts'
import { noMetrics, silentLogger } from '../../src/core/ports/platform.ts'
import { createMeterLookup } from '../../src/core/resolve/limit-meter.ts'
import { randomSecrets } from '../../src/platform/secrets.ts'
import { createAggregator } from '../../src/usage/aggregator.ts'
import { createAlertObserver } from '../../src/usage/alert-observer.ts'
import { createTestClock, START } from '../core/test-clock.ts'
import { createTestAdminStore } from '../http/test-admin-store.ts'
import { anAlert, anAudit, anEntity, BUDGET, ofEntity } from '../store/store-fixtures.ts'
import { createMemoryAlertEventStore } from '../support/memory-alert-event-store.ts'
import { entityBucketOf } from './bucket-records.ts'
import { bucketOf, createBucketStream } from './bucket-stream.ts'
import { createTestUsageStore } from './test-usage-store.ts'

const MONTH: LimitSize = { algorithm: 'fixed_window', limit: 1000, window: 'month', timeZone: 'UTC' }

const away = new StoreUnavailable('the store is away', { mayHaveApplied: false })

let events: AlertEventStore
let puts: number

beforeEach(() => {
  events = createMemoryAlertEventStore()
  puts = 0
})

const observerOf = (
  configured: () => Promise<readonly Alert[]> = async () => [anAlert({ name: 'ops', changedAt: 0n })],
  { store = createTestAdminStore(), raise = events.raise } = {},
) =>
  createAlertObserver({
    configured,
    events: {
      async raise(event) {
        puts += 1
        return raise(event)
      },
    },
    bucketOf,
    meterOf: createMeterLookup(store),
    hash: randomSecrets.hash,
    clock: createTestClock(),
    logger: silentLogger,
    metrics: noMetrics,
  })

const raised = async () => (await events.listEvents({ limit: 100 })).items

describe('an observer', () => {
  test('puts each event once, and does not try it again with later writes', async () => {
    const { records, charge } = createBucketStream({ usd: MONTH })
    const observer = observerOf()
    for (const amount of [800, 50, 50]) charge('usd', amount, START)
    expect(await observer.observe(records)).toEqual([])
    charge('usd', 100, START)
    expect(await observer.observe(records)).toEqual([])
    expect(puts).toBe(2)
    expect((await raised()).map(({ share, used }) => [share, used])).toEqual(
      expect.arrayContaining([
        [0.8, 800],
        [1, 1000],
      ]),
    )
  })

  test('of another process finds the event', async () => {
    const { records, charge } = createBucketStream({ usd: MONTH })
    charge('usd', 900, START)
    for (const observer of [observerOf(), observerOf()]) expect(await observer.observe(records)).toEqual([])
    expect(puts).toBe(2)
    const [event, ...more] = await raised()
    expect(more).toEqual([])
    expect(event).toMatchObject({ state: 'pending', attempts: 0, dueAt: START, reason: null })
    expect(event?.id).toMatch(/^alert_[0-9a-f]{32}$/)
  })

  test('reads the meter of the limit, from its own limits or the defaults', async () => {
    const store = createTestAdminStore()
    await store.createEntity(anEntity({ id: 'team-a', role: 'teams' }), anAudit())
    await store.putLimitSet(ofEntity('team-a', '_total_'), { limits: [BUDGET], version: 1n }, null, anAudit())
    const roles = { owner: { kind: 'role', role: 'teams' }, resource: '_total_' } as const
    const itd = { name: 'itd', meter: 'input_tokens', size: MONTH } as const
    await store.putLimitSet(roles, { limits: [itd], version: 1n }, null, anAudit())
    const { records, charge } = createBucketStream({ budget: MONTH, itd: MONTH, tpm: MONTH, gone: MONTH })
    for (const name of ['budget', 'itd', 'tpm', 'gone']) charge(name, 900, START)
    await observerOf(undefined, { store }).observe(records)
    const meters = Object.fromEntries((await raised()).map(({ limitName, meter }) => [limitName, meter]))
    expect(meters).toEqual({
      budget: 'cost_usd_micros',
      itd: 'input_tokens',
      tpm: 'tokens',
      gone: null,
    })
  })

  test.each([
    ['run-1', 'cost_usd_micros'],
    ['run-2', 'input_tokens'],
  ])('reads the meter of the session %s from its own policy, or from that of all', async (name, meter) => {
    const store = createTestAdminStore()
    const limit = { name: 'budget', size: MONTH } as const
    const own = policyLimitSet(policyKeyOf('SESSION', 'run-1'))
    const all = policyLimitSet(policyKeyOf('SESSION', '*'))
    const money = { ...limit, meter: 'cost_usd_micros' } as const
    await store.putLimitSet(own, { limits: [money], version: 1n }, null, anAudit())
    await store.putLimitSet(
      all,
      { limits: [{ ...limit, meter: 'input_tokens' }], version: 1n },
      null,
      anAudit(),
    )
    const bucket = policyBucket(namedBucketKey({ scope: 'SESSION', tenant: 'acme', name }))
    const { records, charge } = createBucketStream({ budget: MONTH }, bucket)
    charge('budget', 900, START)
    await observerOf(undefined, { store }).observe(records)
    expect(await raised()).toMatchObject([{ meter, policy: { scope: 'SESSION', selector: `acme#${name}` } }])
  })

  test('reports the record of an event that could not be put, and puts it the next time', async () => {
    const { records, charge } = createBucketStream({ usd: MONTH })
    charge('usd', 100, START)
    charge('usd', 700, START)
    let failures = 1
    const raise: AlertEventStore['raise'] = async (event) => {
      if (failures-- > 0) throw away
      return events.raise(event)
    }
    const observer = observerOf(undefined, { raise })
    expect(await observer.observe(records)).toEqual([{ record: 1, reason: 'the store is away' }])
    expect(await observer.observe(records)).toEqual([])
    expect(await raised()).toHaveLength(1)
  })

  test('reports the whole batch if the alerts cannot be read', async () => {
    const { records, charge } = createBucketStream({ usd: MONTH })
    charge('usd', 900, START)
    const observer = observerOf(async () => {
      throw away
    })
    expect(await observer.observe(records)).toEqual([{ record: 0, reason: 'the store is away' }])
    expect(await observer.observe([])).toEqual([])
  })

  test('puts nothing without alerts', async () => {
    const { records, charge } = createBucketStream({ usd: MONTH })
    charge('usd', 900, START)
    expect(await observerOf(async () => []).observe(records)).toEqual([])
    expect(puts).toBe(0)
  })
})

describe('the aggregator', () => {
  const aggregatorOf = (observeAlerts: ReturnType<typeof observerOf>['observe']) => {
    const usageStore = createTestUsageStore()
    const lines: string[] = []
    const logger = { ...silentLogger, error: (message: string) => lines.push(message) }
    const deps = { usageStore, entityBucketOf, observeAlerts, logger, metrics: noMetrics }
    return { usageStore, lines, aggregator: createAggregator(deps) }
  }

  test('reports records whose alerts were not raised, and counts their usage', async () => {
    const { records, charge, write } = createBucketStream({ usd: MONTH }, entityBucket('team-a', 'gpt-4'))
    write([{ does: 'add', path: 'used_requests', value: 1n }], START)
    charge('usd', 900, START)
    const observer = observerOf(undefined, {
      raise: async () => {
        throw away
      },
    })
    const { aggregator, usageStore, lines } = aggregatorOf(observer.observe)
    expect(await aggregator.handle({ Records: records })).toEqual({
      batchItemFailures: [{ itemIdentifier: '2' }],
    })
    expect(lines).toEqual(['alerts not raised: the records will be read again'])
    expect(Object.values(await usageStore.totals())).toEqual([{ requests: 1 }])
  })

  test('raises alerts of records whose usage could not be written', async () => {
    const { records, charge, write } = createBucketStream({ usd: MONTH }, entityBucket('team-a', 'gpt-4'))
    write([{ does: 'add', path: 'used_requests', value: 1n }], START)
    charge('usd', 900, START)
    const { aggregator, usageStore, lines } = aggregatorOf(observerOf().observe)
    usageStore.crashAfter(0)
    expect(await aggregator.handle({ Records: records })).toEqual({
      batchItemFailures: [{ itemIdentifier: '1' }],
    })
    expect(lines).toEqual(['usage not recorded'])
    expect(await raised()).toHaveLength(1)
  })
})
