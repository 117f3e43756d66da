import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { expect } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import type { Decision, Reservation } from '../../../src/core/decide/decision.ts'
import { createLimiter } from '../../../src/core/decide/limiter.ts'
import type { Logger } from '../../../src/core/ports/platform.ts'
import { sha256 } from '../../../src/platform/runtime.ts'
import { createMemoryBucketStore } from '../../../src/store/memory/bucket-store.ts'
import { runs } from '../../property-runs.ts'
import { createTestClock } from '../test-clock.ts'
import { createTestConfig, entityOwner } from '../test-config.ts'
import { newMapCache } from '../test-limiter.ts'

const MS = 1_000_000n

const KEYS = ['a', 'b'] as const

/** One limiter on its own store; `isLive`: charged in place. */
const createSide = (isLive: boolean) => {
  const [store, config, clock] = [createMemoryBucketStore(), createTestConfig(), createTestClock()]
  const counts: Record<string, number> = {}
  const lines: unknown[] = []
  const log = (message: string, fields?: object) => void lines.push([message, fields])
  const logger: Logger = { isDebugOn: false, debug: log, info: log, warn: log, error: log }
  const limiter = createLimiter({
    ...{ buckets: store, config, clock, logger, newCache: newMapCache, pause: async () => {} },
    slotPrefix: 'slot-',
    hash: sha256,
    ...(isLive && { live: store.live }),
    localBuckets: createMemoryBucketStore(),
    metrics: {
      count(name) {
        counts[name] = (counts[name] ?? 0) + 1
      },
    },
  })
  config.putEntity('parent')
  for (const key of KEYS) config.putEntity(key, { parentId: 'parent', cascade: true })
  const open: Reservation[] = []
  /** The wait of the last denial. */
  const last = { retryAfterNs: 1n }
  const items = async () => Promise.all(['parent', ...KEYS].map((id) => store.list(id)))
  return { limiter, config, clock, counts, lines, open, last, items }
}

type Side = ReturnType<typeof createSide>

const size = fc.oneof(
  fc.record({ capacity: fc.integer({ min: 1, max: 30 }), refill_rate: fc.constantFrom(0.01, 0.3, 1, 7) }),
  fc.record({
    algorithm: fc.constant('sliding_window'),
    limit: fc.integer({ min: 1, max: 30 }),
    window_seconds: fc.constantFrom(10, 60, 300),
    slots: fc.constantFrom(2, 5, 10),
  }),
  fc.record({
    algorithm: fc.constant('fixed_window'),
    limit: fc.integer({ min: 1, max: 30 }),
    window: fc.constantFrom('minute', 'hour'),
    time_zone: fc.constantFrom('UTC', 'Asia/Kolkata'),
  }),
  fc.record({
    algorithm: fc.constant('fixed_window'),
    limit: fc.integer({ min: 1, max: 30 }),
    window: fc.constant('first_use'),
    window_seconds: fc.constantFrom(10, 60),
  }),
)

const limits = fc
  .tuple(size, size, size, fc.constantFrom(1, 1, 2, 3), fc.constantFrom(undefined, 0.3), fc.boolean())
  .map(([rpm, rph, tpm, many, headroom, isWarned]) =>
    [
      { name: 'rpm', ...rpm, ...(headroom && { headroom: { normal: headroom } }) },
      { name: 'tpm', ...tpm, ...(isWarned && { warn_at: 0.5 }) },
      { name: 'rph', ...rph, ...(isWarned && { mode: 'warn' }) },
    ].slice(0, many),
  )

const cost = fc.record(
  { requests: fc.integer({ min: 0, max: 6 }), tokens: fc.integer({ min: 0, max: 12 }) },
  { requiredKeys: [] },
)

const key = fc.constantFrom(...KEYS)

const DOES = [
  'check',
  'reserve',
  'settle',
  'release',
  'wait',
  'advance',
  'step',
  'reset',
  'top up',
  'change',
  'flush',
] as const

const WEIGHTS: Readonly<Partial<Record<(typeof DOES)[number], number>>> = {
  check: 24,
  reserve: 3,
  settle: 3,
  wait: 6,
  advance: 6,
}

const act = fc.record({
  does: fc.oneof(...DOES.map((does) => ({ weight: WEIGHTS[does] ?? 1, arbitrary: fc.constant(does) }))),
  key,
  cost,
  resource: fc.constantFrom(undefined, 'gpt'),
  at: fc.nat(3),
  ms: fc.oneof(
    { weight: 8, arbitrary: fc.nat(300) },
    { weight: 4, arbitrary: fc.nat(5000) },
    { weight: 1, arbitrary: fc.constantFrom(40_000, 3_600_000, 3 * 86_400_000) },
  ),
  isBack: fc.boolean(),
  limitName: fc.constantFrom(undefined, 'rpm'),
  limits,
})

type Act = typeof act extends fc.Arbitrary<infer A> ? A : never

const perform = async (side: Side, { does, key, ...by }: Act): Promise<unknown> => {
  const { limiter, clock, config, open } = side
  const limitName = by.limitName && { limitName: by.limitName }
  switch (does) {
    case 'check':
      return noted(
        side,
        await limiter.decide({ entityId: key, cost: by.cost, settles: false, ...at(by.resource) }),
      )
    case 'reserve': {
      const decision = await limiter.decide({
        entityId: key,
        cost: by.cost,
        settles: true,
        ...at(by.resource),
      })
      if (decision.allowed) open.push(decision.reservation)
      return noted(side, decision)
    }
    case 'settle':
      return open.splice(by.at, 1)[0]?.settle(by.cost)
    case 'release':
      return open.splice(by.at, 1)[0]?.release()
    case 'wait':
      // to just before, at, or just after the time at which the last denied request passes
      return clock.advance(side.last.retryAfterNs + BigInt(by.at) - 1n)
    case 'advance':
      return clock.advance(BigInt(by.ms) * MS)
    case 'step':
      return clock.step((by.isBack ? -1n : 1n) * BigInt(by.ms) * MS)
    case 'reset':
      // pending counts belong to the generation before
      await limiter.flush({ all: true })
      return limiter.reset(key, { ...limitName }).catch(String)
    case 'top up':
      return limiter.topUp(key, { amount: by.at + 1, ...limitName }).catch(String)
    case 'change':
      return config.putLimits(entityOwner(key), '_default_', parseLimits(by.limits, 'limits'))
    case 'flush':
      return limiter.flush({ all: by.isBack })
  }
}

const at = (resource: string | undefined) => resource !== undefined && { resource }

const noted = ({ last }: Side, decision: Decision) => {
  if (!decision.allowed) {
    last.retryAfterNs = decision.retryAfterNs ?? 1n
    return decision
  }
  const { reservation: _, ...rest } = decision
  return rest
}

/** Counts are part of a charge in place, and of a later write elsewhere: `rev` counts the writes. */
const comparable = (lists: Awaited<ReturnType<Side['items']>>) =>
  lists.map((list) => list.map(({ resource, item }) => ({ resource, ...item, rev: undefined })))

test.prop([limits, fc.option(limits), fc.option(limits), fc.array(act, { minLength: 1, maxLength: 60 })], {
  numRuns: runs(300),
})(
  'charging in place gives the decisions of conditional writes, logs them alike, and leaves the same buckets',
  async (own, parents, total, plan) => {
    const [live, written] = [createSide(true), createSide(false)]
    for (const { config } of [live, written]) {
      if (parents) config.putLimits(entityOwner('parent'), '_default_', parseLimits(parents, 'limits'))
      config.putLimits(entityOwner('a'), '_default_', parseLimits(own, 'limits'))
      if (total) config.putLimits(entityOwner('a'), '_total_', parseLimits(total, 'limits'))
      config.putLimits(entityOwner('b'), 'gpt', parseLimits(own, 'limits'))
    }
    for (const each of plan) expect(await perform(live, each)).toEqual(await perform(written, each))
    for (const { limiter } of [live, written]) await limiter.flush({ all: true })
    expect(comparable(await live.items())).toEqual(comparable(await written.items()))
    expect(live.lines).toEqual(written.lines)
    // a bucket in memory is looked at without a call of the store
    const calls = { bucket_writes: 0, bucket_reads: 0 }
    expect({ ...live.counts, ...calls }).toEqual({ ...written.counts, ...calls })
  },
)
