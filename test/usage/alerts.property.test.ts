import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import type { AlertEvent } from '../../src/core/model/alert.ts'
import type { LimitSize } from '../../src/core/model/limit.ts'
import { type AlertEventStore, DeliveryFailed } from '../../src/core/ports/alert-store.ts'
import { noMetrics, silentLogger } from '../../src/core/ports/platform.ts'
import { randomSecrets } from '../../src/platform/secrets.ts'
import {
  ATTEMPT_LEASE_NS,
  createAlertDelivery,
  MAX_ATTEMPTS,
  RETRY_SECONDS,
} from '../../src/usage/alert-delivery.ts'
import { createAlertObserver } from '../../src/usage/alert-observer.ts'
import type { StreamRecord } from '../../src/usage/stream-usage.ts'
import { createTestClock, SECOND, START } from '../core/test-clock.ts'
import { runs } from '../property-runs.ts'
import { anAlert, anAlertEvent } from '../store/store-fixtures.ts'
import { createMemoryAlertEventStore } from '../support/memory-alert-event-store.ts'
import { bucketOf, createBucketStream } from './bucket-stream.ts'

const NODES = 3

const HOUR = 3600n * SECOND

const SHARES = [0.5, 0.8, 1]

const LIMITS: Readonly<Record<'day' | 'hour' | 'refilled', LimitSize>> = {
  day: { algorithm: 'fixed_window', limit: 40, window: 'day', timeZone: 'UTC' },
  hour: { algorithm: 'fixed_window', limit: 20, window: 'hour', timeZone: 'UTC' },
  refilled: { algorithm: 'token_bucket', capacity: 20, refillRate: 20 / 7200 },
}

const names = ['day', 'hour', 'refilled'] as const

interface Charge {
  readonly limit: (typeof names)[number]
  readonly amount: number
  readonly pauseSeconds: number
}

const charges: fc.Arbitrary<readonly Charge[]> = fc.array(
  fc.record({
    limit: fc.constantFrom(...names),
    amount: fc.integer({ min: 1, max: 9 }),
    pauseSeconds: fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 5000 })),
  }),
  { minLength: 1, maxLength: 60 },
)

const alerts = [
  anAlert({ name: 'all', shares: SHARES, changedAt: 0n }),
  anAlert({ name: 'day', limitName: 'day', shares: [0.8], changedAt: 0n }),
  anAlert({ name: 'other-team', entityId: 'team-b', changedAt: 0n }),
]

/** A limit by plain addition: what is in use before and after a charge, and the window in which that is reported. */
interface Use {
  readonly start: bigint
  readonly before: number
  readonly used: number
  readonly capacity: number
  readonly isDenied: boolean
}

type Charged = (amount: number, at: bigint) => Use

const useOf = (start: bigint, capacity: number, before: number, amount: number): Use => {
  const isDenied = before + amount > capacity
  return { start, before, used: isDenied ? before : before + amount, capacity, isDenied }
}

/** Each window begins with nothing in use. */
const countedPer =
  (capacity: number, period: bigint, counts = new Map<bigint, number>()): Charged =>
  (amount, at) => {
    const start = at - (at % period)
    const use = useOf(start, capacity, counts.get(start) ?? 0, amount)
    counts.set(start, use.used)
    return { ...use, before: 0 }
  }

const refilledWithin = (capacity: number, period: bigint): Charged => {
  let [used, since] = [0, START]
  return (amount, at) => {
    const left = Math.max(0, used - (Number(at - since) / Number(period)) * capacity)
    const use = useOf(at - (at % period), capacity, left, amount)
    used = use.used
    since = at
    return use
  }
}

const reachedIn = ({ before, used, capacity, isDenied }: Use): readonly number[] =>
  SHARES.filter((share) => {
    const isWhole = isDenied && share === 1 && used >= capacity * 0.9
    return isWhole || (used >= capacity * share && before < capacity * share)
  })

/** The stream, and by plain addition the shares that each window or period reaches. */
const play = (history: readonly Charge[]) => {
  const stream = createBucketStream(LIMITS)
  const limits = {
    day: countedPer(40, 24n * HOUR),
    hour: countedPer(20, HOUR),
    refilled: refilledWithin(20, 2n * HOUR),
  }
  const expected = new Set<string>()
  let at = START
  for (const { limit, amount, pauseSeconds } of history) {
    // never a whole second: the stream of DynamoDB rounds, which another test covers
    at += BigInt(pauseSeconds) * SECOND + 3_000_000n
    stream.charge(limit, amount, at)
    const use = limits[limit](amount, at)
    for (const share of reachedIn(use)) {
      expected.add(`${limit} ${use.start} ${share} all`)
      if (limit === 'day' && share === 0.8) expected.add(`${limit} ${use.start} ${share} day`)
    }
  }
  return { records: stream.records, expected }
}

const keyOf = ({ limitName, window, share, alert }: AlertEvent): string =>
  `${limitName} ${window.start} ${share} ${alert}`

/** A store that counts what it has put, and fails as `fail` sets. */
const countingStore = () => {
  const store = createMemoryAlertEventStore()
  const raised: AlertEvent[] = []
  let failures: boolean[] = []
  const raise: AlertEventStore['raise'] = async (event) => {
    if (failures.shift()) throw new Error('the store is away')
    const outcome = await store.raise(event)
    if (outcome === 'raised') raised.push(event)
    return outcome
  }
  return {
    raised,
    raise,
    fail(next: readonly boolean[]) {
      failures = [...next]
    },
  }
}

const createNodes = (events: Pick<AlertEventStore, 'raise'>) =>
  Array.from({ length: NODES }, () =>
    createAlertObserver({
      configured: async () => alerts,
      events,
      bucketOf,
      meterOf: async () => null,
      hash: randomSecrets.hash,
      clock: createTestClock(),
      logger: silentLogger,
      metrics: noMetrics,
    }),
  )

const deliveries = fc.array(
  fc.record({
    node: fc.nat({ max: NODES - 1 }),
    from: fc.nat({ max: 59 }),
    length: fc.nat({ max: 60 }),
    /** Omits records of the slice, as a bisected or redriven batch does. */
    every: fc.integer({ min: 1, max: 3 }),
    isReversed: fc.boolean(),
    failures: fc.array(fc.boolean(), { maxLength: 5 }),
  }),
  { maxLength: 12 },
)

test.prop([charges, deliveries, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 })], {
  numRuns: runs(200),
})(
  'three nodes raise each alert once, for any order, repetition and split of batches',
  async (history, parts, cuts) => {
    const { records, expected } = play(history)
    const events = countingStore()
    const nodes = createNodes(events)
    const deliver = async (node: number, batch: readonly StreamRecord[]): Promise<void> => {
      let rest = batch
      // as an event source does: from the first reported record on, until none is
      for (;;) {
        const failures = (await nodes[node]?.observe(rest)) ?? []
        if (failures.length === 0) return
        rest = rest.slice(Math.min(...failures.map(({ record }) => record)))
      }
    }
    await Promise.all(
      parts.map(async ({ node, from, length, every, isReversed, failures }) => {
        events.fail(failures)
        const batch = records.slice(from, from + length).filter((_, place) => place % every === 0)
        await deliver(node, isReversed ? batch.toReversed() : batch)
      }),
    )
    events.fail([])
    for (let place = 0, cut = 0; place < records.length; cut += 1) {
      const size = cuts[cut % cuts.length] ?? 1
      await deliver(cut % NODES, records.slice(place, place + size))
      place += size
    }
    const keys = events.raised.map(keyOf)
    expect(keys.toSorted()).toEqual([...expected].toSorted())
    expect(new Set(events.raised.map(({ id }) => id)).size).toBe(keys.length)
  },
)

/** Whether the receiver accepts an attempt, and whether its process ends before it has recorded that. */
const outcomes = fc.array(fc.record({ isAccepted: fc.boolean(), endsProcess: fc.boolean() }), {
  maxLength: 30,
})

/** The store without the changes of processes that have ended. */
const losingStore = (store: AlertEventStore) => {
  const lost = new Set<string>()
  const events: Pick<AlertEventStore, 'pending' | 'update'> = {
    pending: store.pending,
    async update(event, next) {
      const isRecord = next.attempts === event.attempts
      if (isRecord && lost.delete(event.bucket)) throw new Error('the process has ended')
      return store.update(event, next)
    },
  }
  return { events, lost }
}

/** The attempts of one event. */
interface Received {
  times: number
  accepted: number
  /** Attempts that were accepted, but not recorded. */
  unrecorded: number
  running: number
}

test.prop([fc.integer({ min: 1, max: 4 }), outcomes], { numRuns: runs(200) })(
  'three nodes send an event at most five times, never twice at once, and end every one',
  async (count, script) => {
    const clock = createTestClock()
    const store = createMemoryAlertEventStore()
    const { events, lost } = losingStore(store)
    const received = new Map<string, Received>()
    const buckets = new Map<string, string>()
    for (let n = 0; n < count; n += 1) {
      const event = anAlertEvent({ dueAt: clock.now() })
      await store.raise(event)
      received.set(event.id, { times: 0, accepted: 0, unrecorded: 0, running: 0 })
      buckets.set(event.id, event.bucket)
    }
    const rest = [...script]
    const send = async (id: string): Promise<void> => {
      const of = received.get(id) ?? { times: 0, accepted: 0, unrecorded: 0, running: 0 }
      of.running += 1
      expect(of.running).toBe(1)
      await Promise.resolve()
      of.running -= 1
      of.times += 1
      const { isAccepted, endsProcess } = rest.shift() ?? { isAccepted: true, endsProcess: false }
      if (endsProcess) lost.add(buckets.get(id) ?? '')
      if (!isAccepted) throw new DeliveryFailed('the receiver responded with 500')
      of.accepted += 1
      if (endsProcess) of.unrecorded += 1
    }
    const nodes = Array.from({ length: NODES }, () =>
      createAlertDelivery({
        configured: async () => alerts,
        alert: async (name) => anAlert({ name }),
        events,
        sender: { send: (_target, { id }) => send(id) },
        clock,
        logger: silentLogger,
        metrics: noMetrics,
      }),
    )
    const longest = BigInt(Math.max(...RETRY_SECONDS)) * SECOND + ATTEMPT_LEASE_NS
    for (let round = 0; round < 2 * MAX_ATTEMPTS; round += 1) {
      await Promise.all(nodes.map(({ deliver }) => deliver(20_000)))
      clock.advance(longest)
    }
    const { items } = await store.listEvents({ limit: 10 })
    for (const event of items) {
      const { times = 0, accepted = 0, unrecorded = 0 } = received.get(event.id) ?? {}
      expect(times).toBeLessThanOrEqual(MAX_ATTEMPTS)
      expect(event).toMatchObject({ attempts: times, dueAt: null })
      expect(accepted).toBeLessThanOrEqual(1 + unrecorded)
      if (event.state === 'delivered') expect(accepted).toBe(1 + unrecorded)
      else expect(event).toMatchObject({ state: 'failed', attempts: MAX_ATTEMPTS })
    }
    expect(items).toHaveLength(count)
  },
)
