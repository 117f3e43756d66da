import { describe, expect, test } from 'vitest'
import { policyBucket } from '../../../src/core/bucket/bucket-store.ts'
import type { Decision } from '../../../src/core/decide/decision.ts'
import { createDecisionLog } from '../../../src/core/decide/decision-log.ts'
import { createLimiter } from '../../../src/core/decide/limiter.ts'
import { settledReservation } from '../../../src/core/decide/reservation.ts'
import { type Logger, noMetrics, silentLogger } from '../../../src/core/ports/platform.ts'
import { sha256 } from '../../../src/platform/runtime.ts'
import { createMemoryBucketStore } from '../../../src/store/memory/bucket-store.ts'
import { createTestClock, SECOND } from '../test-clock.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { createTestWorld, newMapCache } from '../test-limiter.ts'

type Line = readonly [level: string, fields: Readonly<Record<string, unknown>> | undefined]

const start = (isDebugOn = true) => {
  const lines: Line[] = []
  const logger: Logger = {
    ...silentLogger,
    isDebugOn,
    debug: (_, fields) => void lines.push(['debug', fields]),
    warn: (_, fields) => void lines.push(['warn', fields]),
  }
  const world = createTestWorld()
  world.config.putEntity('key')
  world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [2, 1 / 3600], tpm: [100, 1] }))
  const limiter = createLimiter({
    ...world,
    localBuckets: createMemoryBucketStore(),
    logger,
    metrics: noMetrics,
    newCache: newMapCache,
    pause: async () => {},
    slotPrefix: 'slot-',
    hash: sha256,
  })
  const decide = (cost = {}, dryRun = false) =>
    limiter.decide({ entityId: 'key', cost: { requests: 1, ...cost }, settles: false, dryRun })
  const of = (level: string) => lines.filter((line) => line[0] === level).map(([, fields]) => fields)
  return { world, logger, decide, lines, of }
}

describe('decisions without the store', () => {
  test.each([
    [true, 'requests allowed without the store'],
    [false, 'requests denied without the store'],
  ])('are one line per minute with their number and the reason (allowed: %s)', (allowed, message) => {
    const lines: unknown[] = []
    const logger: Logger = { ...silentLogger, warn: (...line) => void lines.push(line) }
    const clock = createTestClock()
    const log = createDecisionLog({ logger, metrics: noMetrics, clock, newCache: newMapCache })
    const common = { degraded: true, unavailableCause: 'no table', limits: [], reported: [] } as const
    const decision: Decision = allowed
      ? { ...common, allowed: true, reservation: settledReservation }
      : { ...common, allowed: false, violations: [], retryAfterNs: null, unavailable: true }
    for (let turn = 0; turn < 3; turn++) log(decision)
    expect(lines).toEqual([[message, { count: 1, reason: 'no table' }]])
    clock.advance(59n * SECOND)
    log(decision)
    expect(lines).toHaveLength(1)
    clock.advance(SECOND)
    log(decision)
    expect(lines[1]).toEqual([message, { count: 4, reason: 'no table' }])
  })
})

describe('at debug level', () => {
  test('every limit that a decision evaluated is a line', async () => {
    const { decide, of } = start()
    await decide({ tokens: 30 })
    const common = { key: 'key:_default_', label: 'key _default_', allowed: true }
    expect(of('debug')).toEqual([
      { ...common, limitName: 'rpm', count: 1, limit: 2 },
      { ...common, limitName: 'tpm', count: 30, limit: 100 },
    ])
  })

  test('a policy that denies is logged by its name', async () => {
    const { world, logger, decide, of, lines } = start()
    const decision = await decide()
    lines.length = 0
    const bucket = policyBucket({ scope: 'USER_MODEL', selector: 'ent-user-2#gpt-4o' })
    createDecisionLog({ logger, metrics: noMetrics, clock: world.clock, newCache: newMapCache })({
      ...decision,
      limits: decision.limits.slice(0, 1).map((state) => ({ ...state, bucket })),
    })
    expect(of('debug')).toMatchObject([
      { key: 'USER_MODEL:ent-user-2:gpt-4o', label: 'USER_MODEL ent-user-2:gpt-4o', count: 1, limit: 2 },
    ])
  })

  test('a dry run is not logged', async () => {
    const { decide, lines } = start()
    await decide({}, true)
    await decide({ tokens: 101 }, true)
    expect(lines).toEqual([])
  })
})

test('lines below the log level are not built', async () => {
  const { world, logger, decide, lines } = start(false)
  let looks = 0
  const watched: Decision = {
    ...(await decide()),
    get limits() {
      looks++
      return []
    },
  }
  createDecisionLog({ logger, metrics: noMetrics, clock: world.clock, newCache: newMapCache })(watched)
  // once for the near-limit warning, not for log lines
  expect([looks, lines]).toEqual([1, []])
})

describe('a denial', () => {
  test('is a warning with the requested cost, once in ten seconds for the same limit', async () => {
    const { world, decide, of } = start(false)
    for (let turn = 0; turn < 2; turn++) await decide()
    for (let turn = 0; turn < 6; turn++) await decide()
    const line = { key: 'key:_default_', label: 'key _default_', limitName: 'rpm', limit: 2, requested: 1 }
    expect(of('warn')).toEqual([{ ...line, count: 2, retryAfterMs: 3_600_000, suppressed: 0 }])
    world.clock.advance(10n * SECOND - 1n)
    await decide()
    expect(of('warn')).toHaveLength(1)
    world.clock.advance(1n)
    await decide()
    expect(of('warn')[1]).toMatchObject({ ...line, suppressed: 6 })
    world.clock.advance(10n * SECOND)
    await decide()
    expect(of('warn')[2]).toMatchObject({ suppressed: 0 })
  })

  test('by another limit is logged separately, and one that never passes has no wait', async () => {
    const { decide, of } = start(false)
    await decide({ tokens: 101 })
    for (let turn = 0; turn < 3; turn++) await decide()
    expect(of('warn')).toMatchObject([
      { limitName: 'tpm', requested: 101, retryAfterMs: null },
      { limitName: 'rpm', requested: 1 },
    ])
  })
})

test('the log remembers a bounded number of limits', () => {
  const { world, logger } = start()
  const bounds: number[] = []
  createDecisionLog({
    logger,
    metrics: noMetrics,
    clock: world.clock,
    newCache: ({ max }) => {
      bounds.push(max)
      return new Map()
    },
  })
  expect(bounds).toEqual([10_000])
})
