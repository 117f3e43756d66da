import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import type { Decision } from '../../../src/core/decide/decision.ts'
import type { LimiterSettings } from '../../../src/core/decide/limiter.ts'
import type { Cost } from '../../../src/core/model/meter.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner } from '../test-config.ts'
import { createTestNode, createTestWorld, type TestWorld } from '../test-limiter.ts'
import { sometimesUnavailable, stored } from '../token-world.ts'

const SIZES = {
  token_bucket: {
    paused: { capacity: 0, refill_rate: 0 },
    running: { capacity: 10, refill_rate: 10 / 60 },
  },
  sliding_window: {
    paused: { algorithm: 'sliding_window', limit: 0, window_seconds: 60 },
    running: { algorithm: 'sliding_window', limit: 10, window_seconds: 60 },
  },
  fixed_window: {
    paused: { algorithm: 'fixed_window', limit: 0, window: 'hour' },
    running: { algorithm: 'fixed_window', limit: 10, window: 'hour' },
  },
}

const putLimits = ({ config, clock }: TestWorld, ...limits: readonly object[]): void => {
  clock.advance(1n)
  config.putLimits(entityOwner('key'), '_default_', parseLimits(limits, 'limits'))
}

const worldWith = (limits: readonly object[], settings: Partial<LimiterSettings> = {}): TestWorld => {
  const world = createTestWorld({ configCacheMs: 0, ...settings })
  world.config.putEntity('key')
  putLimits(world, ...limits)
  return world
}

const decide = ({ node }: TestWorld, cost: Cost, options: object = {}): Promise<Decision> =>
  node.limiter.decide({ entityId: 'key', cost, settles: false, ...options })

const rpm = { name: 'rpm', capacity: 60, refill_rate: 1 }

describe.each(Object.entries(SIZES))('a paused %s', (_, { paused, running }) => {
  const tpm = { name: 'tpm', ...paused }

  test.each([1, 0, 1_000_000])('denies a cost of %i permanently, and writes nothing', async (tokens) => {
    const world = worldWith([rpm, tpm])
    const decision = await decide(world, { requests: 1, tokens })
    expect(decision).toMatchObject({
      allowed: false,
      retryAfterNs: null,
      violations: [{ requested: tokens, retryAfterNs: null, state: { capacity: 0, available: 0, used: 0 } }],
    })
    expect(world.node.counts.bucket_writes).toBeUndefined()
  })

  test('does not affect a cost without its meter', async () => {
    const world = worldWith([rpm, tpm])
    expect((await decide(world, { requests: 1 })).allowed).toBe(true)
  })

  test('takes precedence over violations with a wait', async () => {
    const world = worldWith([{ ...rpm, capacity: 1 }, tpm])
    await decide(world, { requests: 1 })
    const decision = await decide(world, { requests: 1, tokens: 1 })
    expect(decision).toMatchObject({ allowed: false, retryAfterNs: null })
    expect(decision.allowed ? [] : decision.violations).toHaveLength(2)
  })

  test.each(['warn', 'shadow'])('of mode %s reports every request, and admits it', async (mode) => {
    const world = worldWith([{ ...tpm, mode }])
    for (const tokens of [0, 1, 5]) {
      expect(await decide(world, { tokens })).toMatchObject({
        allowed: true,
        reported: [{ requested: tokens, retryAfterNs: null }],
      })
    }
    expect(await stored(world)).toMatchObject({
      tpm_limit: expect.stringMatching(/ 0 per /),
      used_tokens: 6n,
    })
  })

  test('keeps what is in use, is topped up and reset, and still denies', async () => {
    const world = worldWith([rpm, { name: 'tpm', ...running }])
    await decide(world, { requests: 1, tokens: 9 })
    putLimits(world, rpm, tpm)
    expect((await decide(world, { tokens: 1 })).allowed).toBe(false)
    expect((await decide(world, { requests: 1 })).allowed).toBe(true)
    expect((await stored(world)).tpm_limit).toMatch(/ 0 per /)

    putLimits(world, rpm, { name: 'tpm', ...running })
    expect((await decide(world, { tokens: 2 })).allowed).toBe(false)
    expect((await decide(world, { tokens: 1 })).allowed).toBe(true)

    putLimits(world, rpm, tpm)
    await decide(world, { requests: 1 })
    await world.node.limiter.topUp('key', { limitName: 'tpm', amount: 4 })
    expect((await decide(world, { tokens: 1 })).allowed).toBe(false)
    putLimits(world, rpm, { name: 'tpm', ...running })
    expect((await decide(world, { tokens: 5 })).allowed).toBe(false)
    expect((await decide(world, { tokens: 4 })).allowed).toBe(true)

    putLimits(world, rpm, tpm)
    await world.node.limiter.reset('key', {})
    expect((await decide(world, { tokens: 1 })).allowed).toBe(false)
    putLimits(world, rpm, { name: 'tpm', ...running })
    expect((await decide(world, { tokens: 10 })).allowed).toBe(true)
  })

  test('denies at once, even with an open lease', async () => {
    const world = worldWith([{ name: 'tpm', ...running, ...sizeOf(running, 1000) }], { leaseTtlMs: 1000 })
    for (let request = 0; request < 20; request++)
      expect((await decide(world, { tokens: 1 })).allowed).toBe(true)
    putLimits(world, tpm)
    world.node.limiter.forget()
    for (let request = 0; request < 3; request++)
      expect(await decide(world, { tokens: 1 })).toMatchObject({ allowed: false, retryAfterNs: null })
  })

  test('is charged by settlements of earlier reservations', async () => {
    const world = worldWith([rpm, { name: 'tpm', ...running }])
    const decision = await decide(world, { tokens: 4 }, { settles: true })
    putLimits(world, rpm, tpm)
    await decide(world, { requests: 1 })
    if (decision.allowed) await decision.reservation.settle({ tokens: 8 })
    putLimits(world, rpm, { name: 'tpm', ...running })
    expect((await decide(world, { tokens: 3 })).allowed).toBe(false)
    expect((await decide(world, { tokens: 2 })).allowed).toBe(true)
  })

  test('has no wait, and is the bucket with the least available share', async () => {
    const world = worldWith([rpm, tpm])
    const { limiter } = world.node
    expect(await limiter.waitTime('key', { tokens: 1 })).toMatchObject({
      waitNs: null,
      limiting: { limit: { name: 'tpm' }, capacity: 0 },
    })
    expect(await limiter.waitTime('key', { requests: 1 })).toEqual({ waitNs: 0n, limiting: null })
    putLimits(world, rpm)
    await decide(world, { requests: 50 }, { resource: '_default_' })
    world.config.putLimits(entityOwner('key'), '_total_', parseLimits([tpm], 'limits'))
    world.clock.advance(1n)
    await decide(world, { requests: 1 })
    expect(await limiter.status('key', '_total_')).toMatchObject({ limits: [{ available: 0, used: 0 }] })
  })

  test('denies while the store is unavailable, whatever on_unavailable is', async () => {
    const world = worldWith([{ ...tpm, on_unavailable: 'allow' }])
    const node = createTestNode({ ...world, buckets: sometimesUnavailable(world, () => true) })
    expect(await decide({ ...world, node }, { tokens: 1 })).toMatchObject({
      allowed: false,
      retryAfterNs: null,
    })
  })

  test('has no headroom', async () => {
    const world = worldWith([{ ...tpm, headroom: { normal: 0.5 } }])
    expect(await decide(world, { tokens: 0 })).toMatchObject({ allowed: false, retryAfterNs: null })
  })

  test('lets its bucket expire once everything has refilled', async () => {
    const world = worldWith([rpm, { name: 'tpm', ...running }])
    await decide(world, { tokens: 10 })
    putLimits(world, rpm, tpm)
    await decide(world, { requests: 1 })
    const { ttl } = await stored(world)
    const days = (Number(ttl) - Number(world.clock.now() / SECOND)) / 86_400
    expect(days).toBeGreaterThan(2)
    expect(days).toBeLessThan(4)
  })
})

/** The running size with another number of tokens. */
const sizeOf = (size: object, tokens: number): object =>
  'capacity' in size ? { capacity: tokens, refill_rate: 1 } : { limit: tokens }
