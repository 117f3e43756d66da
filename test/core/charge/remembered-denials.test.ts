import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import type { Decision } from '../../../src/core/decide/decision.ts'
import type { Cost } from '../../../src/core/model/meter.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner } from '../test-config.ts'
import { createTestWorld, type TestNode, type TestWorld } from '../test-limiter.ts'
import { stored } from '../token-world.ts'

const MS = 1_000_000n

const putLimits = ({ config }: TestWorld, ...limits: readonly object[]): void =>
  config.putLimits(entityOwner('key'), '_default_', parseLimits(limits, 'limits'))

/** `key` has used its 10 tokens, one of which refills in ten seconds, and has been denied. */
const denied = async (...others: readonly object[]): Promise<TestWorld> => {
  const world = createTestWorld({ leaseTtlMs: 1000, configCacheMs: 30_000 })
  world.config.putEntity('key')
  putLimits(world, { name: 'tpm', capacity: 10, refill_rate: 0.1 }, ...others)
  await decide(world.node, { tokens: 10 })
  expect((await decide(world.node, { tokens: 1 })).allowed).toBe(false)
  return world
}

const decide = ({ limiter }: TestNode, cost: Cost, settles = false): Promise<Decision> =>
  limiter.decide({ entityId: 'key', cost, settles })

const writesOf = ({ counts }: TestNode): number => counts.bucket_writes ?? 0

describe('a denial', () => {
  test('is repeated without a write, with the remaining wait', async () => {
    const world = await denied()
    const before = writesOf(world.node)
    world.clock.advance(900n * MS)
    const again = await decide(world.node, { tokens: 1 })
    expect(writesOf(world.node)).toBe(before)
    expect(again).toMatchObject({
      allowed: false,
      degraded: false,
      unavailable: false,
      retryAfterNs: 9100n * MS,
    })
    expect(again.limits).toMatchObject([{ capacity: 10, available: 0, used: 10 }])
    expect(again.allowed ? [] : again.violations).toMatchObject([
      { requested: 1, retryAfterNs: 9100n * MS, state: { limit: { name: 'tpm' } } },
    ])
  })

  test('is evaluated on the table again after a second', async () => {
    const world = await denied()
    const before = writesOf(world.node)
    world.clock.advance(SECOND)
    expect((await decide(world.node, { tokens: 1 })).allowed).toBe(false)
    expect(writesOf(world.node)).toBe(before + 1)
  })

  test('ends at the moment in its response', async () => {
    const world = createTestWorld({ leaseTtlMs: 1000 })
    world.config.putEntity('key')
    putLimits(world, { name: 'tpm', capacity: 10, refill_rate: 2 })
    await decide(world.node, { tokens: 10 })
    expect((await decide(world.node, { tokens: 1 })).allowed).toBe(false)
    world.clock.advance(SECOND / 2n - 1n)
    expect((await decide(world.node, { tokens: 1 })).allowed).toBe(false)
    world.clock.advance(1n)
    expect((await decide(world.node, { tokens: 1 })).allowed).toBe(true)
  })

  test('applies neither to smaller costs nor to other meters', async () => {
    const world = createTestWorld({ leaseTtlMs: 1000 })
    world.config.putEntity('key')
    putLimits(
      world,
      { name: 'tpm', capacity: 10, refill_rate: 0.1 },
      { name: 'rpm', capacity: 10, refill_rate: 0.1 },
    )
    await decide(world.node, { tokens: 7 })
    expect((await decide(world.node, { tokens: 4 })).allowed).toBe(false)
    expect((await decide(world.node, { tokens: 3 })).allowed).toBe(true)
    expect((await decide(world.node, { requests: 1 })).allowed).toBe(true)
  })

  test('is dropped when this process refunds tokens', async () => {
    const world = createTestWorld({ leaseTtlMs: 1000 })
    world.config.putEntity('key')
    putLimits(world, { name: 'tpm', capacity: 10, refill_rate: 0.001 })
    const held = await decide(world.node, { tokens: 10 }, true)
    expect((await decide(world.node, { tokens: 1 })).allowed).toBe(false)
    if (held.allowed) await held.reservation.settle({ tokens: 2 })
    expect((await decide(world.node, { tokens: 8 })).allowed).toBe(true)
  })

  test('lasts no longer than a second after a limit is raised, on any node', async () => {
    const world = await denied()
    putLimits(world, { name: 'tpm', capacity: 100, refill_rate: 0.1 })
    world.clock.advance(SECOND - 1n)
    expect((await decide(world.node, { tokens: 1 })).allowed).toBe(false)
    world.clock.advance(2n)
    expect((await decide(world.node, { tokens: 1 })).allowed).toBe(true)
  })

  test('is dropped when this process changes the configuration', async () => {
    const world = await denied()
    putLimits(world, { name: 'tpm', capacity: 100, refill_rate: 0.1 })
    world.node.limiter.forget()
    expect((await decide(world.node, { tokens: 1 })).allowed).toBe(true)
  })

  test('is counted every time', async () => {
    const world = await denied()
    for (let turn = 0; turn < 20; turn++) await decide(world.node, { tokens: 1 })
    expect(world.node.counts.decisions_denied).toBe(21)
    await world.node.limiter.flush({ all: true })
    expect(await stored(world)).toMatchObject({ denied: 21n, denied_tpm: 21n })
  })

  test('is not remembered if the settings disable it', async () => {
    const world = createTestWorld()
    world.config.putEntity('key')
    putLimits(world, { name: 'tpm', capacity: 10, refill_rate: 0.1 })
    await decide(world.node, { tokens: 10 })
    for (let turn = 0; turn < 5; turn++) await decide(world.node, { tokens: 1 })
    expect(writesOf(world.node)).toBe(6)
  })

  test('of a parent charges nothing to the caller', async () => {
    const world = createTestWorld({ leaseTtlMs: 1000 })
    world.config.putEntity('project')
    world.config.putEntity('key', { parentId: 'project' })
    putLimits(world, { name: 'tpm', capacity: 100, refill_rate: 0.1 })
    world.config.putLimits(
      entityOwner('project'),
      '_default_',
      parseLimits([{ name: 'tpm', capacity: 10, refill_rate: 0.1 }], 'limits'),
    )
    await decide(world.node, { tokens: 10 })
    await decide(world.node, { tokens: 1 })
    const before = writesOf(world.node)
    const again = await decide(world.node, { tokens: 1 })
    expect(writesOf(world.node)).toBe(before)
    expect(again.allowed ? [] : again.violations.map(({ state }) => state.entityId)).toEqual(['project'])
    expect(again.limits.map(({ entityId, available }) => [entityId, available])).toEqual([
      ['key', 90],
      ['project', 0],
    ])
  })
})
