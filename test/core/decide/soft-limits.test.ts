import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import type { BucketStore } from '../../../src/core/bucket/bucket-store.ts'
import type { Decision } from '../../../src/core/decide/decision.ts'
import { warningsOf } from '../../../src/core/decide/decision-log.ts'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import type { Cost } from '../../../src/core/model/meter.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner } from '../test-config.ts'
import { createTestNode, createTestWorld, type TestNode, type TestWorld } from '../test-limiter.ts'
import { stored } from '../token-world.ts'

const SIZES = {
  token_bucket: { capacity: 10, refill_rate: 1 },
  sliding_window: { algorithm: 'sliding_window', limit: 10, window_seconds: 60 },
  fixed_window: { algorithm: 'fixed_window', limit: 10, window: 'minute' },
}

const worldWith = (...limits: readonly object[]): TestWorld => {
  const world = createTestWorld()
  world.config.putEntity('key')
  world.config.putLimits(entityOwner('key'), '_default_', parseLimits(limits, 'limits'))
  return world
}

const decide = ({ limiter }: TestNode, cost: Cost, options: object = {}): Promise<Decision> =>
  limiter.decide({ entityId: 'key', cost, settles: false, ...options })

const reportedIn = ({ reported }: Decision): readonly string[] =>
  reported.map(({ state }) => state.limit.name)

describe.each(Object.entries(SIZES))('a %s that only warns', (_, size) => {
  const tpm = { name: 'tpm', ...size, mode: 'warn' }

  test('admits everything, and reports the excess', async () => {
    const { node } = worldWith(tpm)
    expect(await decide(node, { tokens: 10 })).toMatchObject({ allowed: true, reported: [] })
    const beyond = await decide(node, { tokens: 4 })
    expect(beyond).toMatchObject({
      allowed: true,
      reported: [{ requested: 4, state: { used: 10, available: 0 } }],
    })
    expect(beyond.reported[0]?.retryAfterNs).toBeGreaterThan(0n)
  })

  test('is not charged with the excess, so that it is soon below its limit again', async () => {
    const world = worldWith(tpm)
    for (let round = 0; round < 100; round++) await decide(world.node, { tokens: 10 })
    world.clock.advance(63n * SECOND)
    expect(reportedIn(await decide(world.node, { tokens: 10 }))).toEqual([])
    expect(reportedIn(await decide(world.node, { tokens: 1 }))).toEqual(['tpm'])
  })

  test('admits, and charges nothing, if every write conflicts', async () => {
    const world = worldWith(tpm)
    const buckets: BucketStore = {
      ...world.buckets,
      write: async (id) => ({ applied: false, item: await world.buckets.read(id) }),
    }
    const node = createTestNode({ ...world, buckets })
    const decision = await decide(node, { tokens: 4 }, { settles: true })
    expect(decision).toMatchObject({ allowed: true, degraded: false })
    if (decision.allowed) await decision.reservation.release()
    await decide(world.node, { tokens: 10 })
    expect(reportedIn(await decide(world.node, { tokens: 1 }))).toEqual(['tpm'])
  })

  test('reports a request larger than itself, and admits the next that fits', async () => {
    const { node } = worldWith(tpm)
    expect(await decide(node, { tokens: 11 })).toMatchObject({
      allowed: true,
      reported: [{ requested: 11, retryAfterNs: null }],
    })
    expect(reportedIn(await decide(node, { tokens: 10 }))).toEqual([])
  })

  test('costs one write, even when exceeded', async () => {
    const { node } = worldWith(tpm)
    await decide(node, { tokens: 10 })
    await decide(node, { tokens: 1 })
    const before = node.counts.bucket_writes ?? 0
    await decide(node, { tokens: 1 })
    expect((node.counts.bucket_writes ?? 0) - before).toBe(1)
  })

  test('is never in debt after a settlement', async () => {
    const world = worldWith(tpm)
    const held = await decide(world.node, { tokens: 2 }, { settles: true })
    if (held.allowed) await held.reservation.settle({ tokens: 500 })
    const { limits } = await world.node.limiter.status('key', '_default_')
    expect(limits[0]?.used).toBe(2)
    const other = await decide(world.node, { tokens: 2 }, { settles: true })
    if (other.allowed) await other.reservation.settle({ tokens: 6 })
    expect((await world.node.limiter.status('key', '_default_')).limits[0]?.used).toBe(8)
    expect((await stored(world)).used_tokens).toBe(506n)
  })

  test('refunds nothing that it was not charged', async () => {
    const world = worldWith(tpm)
    await decide(world.node, { tokens: 9 })
    const held = await decide(world.node, { tokens: 5 }, { settles: true })
    expect(reportedIn(held)).toEqual(['tpm'])
    if (held.allowed) await held.reservation.release()
    expect((await world.node.limiter.status('key', '_default_')).limits[0]?.used).toBe(9)
  })

  test('returns the same in a dry run', async () => {
    const { node } = worldWith(tpm)
    await decide(node, { tokens: 8 })
    expect(reportedIn(await decide(node, { tokens: 3 }, { dryRun: true }))).toEqual(['tpm'])
    expect(reportedIn(await decide(node, { tokens: 2 }, { dryRun: true }))).toEqual([])
  })
})

describe('a limit that only warns, beside limits that deny', () => {
  const rpm = { name: 'rpm', capacity: 2, refill_rate: 1 / 60 }
  const tpm = { name: 'tpm', ...SIZES.sliding_window, mode: 'shadow' }

  test('is reported, and not named as a reason', async () => {
    const { node } = worldWith(rpm, tpm)
    await decide(node, { requests: 2, tokens: 10 })
    const denied = await decide(node, { requests: 1, tokens: 1 })
    expect(denied.allowed).toBe(false)
    expect(denied.allowed ? [] : denied.violations.map(({ state }) => state.limit.name)).toEqual(['rpm'])
    expect(reportedIn(denied)).toEqual(['tpm'])
  })

  test('does not change the charges of the others', async () => {
    const { node } = worldWith(rpm, tpm)
    await decide(node, { requests: 1, tokens: 10 })
    expect(await decide(node, { requests: 1, tokens: 1 })).toMatchObject({ allowed: true })
    const { limits } = await node.limiter.status('key', '_default_')
    expect(limits.map(({ used }) => used)).toEqual([2, 10])
  })

  test('does not decide for an unavailable bucket', async () => {
    const world = worldWith(tpm)
    const unavailable = async (): Promise<never> => {
      throw new StoreUnavailable('away', { mayHaveApplied: false })
    }
    const node = createTestNode({
      ...world,
      buckets: { write: unavailable, read: unavailable, list: unavailable, remove: unavailable },
    })
    expect(await decide(node, { tokens: 1 })).toMatchObject({ allowed: true, degraded: true })
  })
})

describe('headroom', () => {
  const limits = parseLimits(
    Object.entries(SIZES).map(([algorithm, size], index) => ({
      ...size,
      name: ['rpm', 'tpm', 'otpm'][index] ?? algorithm,
      headroom: { normal: 0.1, low: 0.3 },
    })),
    'limits',
  )

  const world = (): TestWorld => {
    const made = createTestWorld()
    made.config.putEntity('project')
    made.config.putLimits(entityOwner('project'), '_default_', limits)
    for (const priority of ['high', 'normal', 'low'] as const)
      made.config.putEntity(priority, { parentId: 'project', priority })
    return made
  }

  const admitted = async ({ limiter }: TestNode, entityId: string, cost: Cost): Promise<number> => {
    for (let count = 0; ; count++)
      if (!(await limiter.decide({ entityId, cost, settles: false })).allowed) return count
  }

  test.each(['requests', 'tokens', 'output_tokens'] as const)(
    'keeps room of a limit on %s that only higher priorities take',
    async (meter) => {
      const { node } = world()
      expect(await admitted(node, 'low', { [meter]: 1 })).toBe(7)
      expect(await admitted(node, 'normal', { [meter]: 1 })).toBe(2)
      expect(await admitted(node, 'high', { [meter]: 1 })).toBe(1)
    },
  )

  test('shows a caller only their own share', async () => {
    const { node } = world()
    const decision = await node.limiter.decide({ entityId: 'low', cost: { requests: 2 }, settles: false })
    expect(decision.limits[0]).toMatchObject({ capacity: 10, available: 5 })
    const high = await node.limiter.decide({ entityId: 'high', cost: { requests: 1 }, settles: false })
    expect(high.limits[0]).toMatchObject({ capacity: 10, available: 7 })
  })

  test('never admits a request larger than the share of the caller', async () => {
    const { node } = world()
    const decision = await node.limiter.decide({ entityId: 'low', cost: { tokens: 8 }, settles: false })
    expect(decision).toMatchObject({ allowed: false, retryAfterNs: null })
    expect(await admitted(node, 'high', { tokens: 10 })).toBe(1)
  })

  test('returns the moment at which there is room again for the caller', async () => {
    const { node, clock } = world()
    await admitted(node, 'high', { requests: 1 })
    const decision = await node.limiter.decide({ entityId: 'low', cost: { requests: 1 }, settles: false })
    expect(decision.allowed ? null : decision.retryAfterNs).toBe(4n * SECOND)
    clock.advance(4n * SECOND)
    expect(await admitted(node, 'low', { requests: 1 })).toBe(1)
  })
})

const start = (...limits: readonly object[]) => {
  const { config, node } = createTestWorld()
  config.putEntity('key')
  config.putLimits(entityOwner('key'), '_default_', parseLimits(limits, 'limits'))
  const decide = (requests: number): Promise<Decision> =>
    node.limiter.decide({ entityId: 'key', cost: { requests }, settles: false })
  return { decide, counts: node.counts }
}

const kinds = (decision: Decision) => warningsOf(decision).map(({ kind, state }) => [kind, state.limit.name])

describe('warnings', () => {
  test('begin at four fifths, or at the configured threshold', async () => {
    const { decide, counts } = start(
      { name: 'rpm', capacity: 10, refill_rate: 0.01 },
      { name: 'rpd', algorithm: 'fixed_window', limit: 10, window: 'day', warn_at: 0.5 },
    )
    expect(kinds(await decide(4))).toEqual([])
    expect(kinds(await decide(1))).toEqual([['near', 'rpd']])
    expect(kinds(await decide(3))).toEqual([
      ['near', 'rpm'],
      ['near', 'rpd'],
    ])
    expect(counts.limits_near).toBe(3)
  })

  test('leave out the violations, and begin with would-be violations', async () => {
    const { decide, counts } = start(
      { name: 'rpm', capacity: 10, refill_rate: 0.01 },
      { name: 'rps', capacity: 2, refill_rate: 0.01, mode: 'warn' },
      { name: 'rph', capacity: 12, refill_rate: 0.01 },
    )
    await decide(9)
    expect(kinds(await decide(1))).toEqual([
      ['near', 'rpm'],
      ['near', 'rph'],
    ])
    const beyond = await decide(2)
    expect(beyond.allowed).toBe(false)
    expect(kinds(beyond)).toEqual([
      ['exceeded', 'rps'],
      ['near', 'rph'],
    ])
    expect(counts.limits_exceeded).toBe(2)
  })
})
