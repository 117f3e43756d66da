import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import type { Decision } from '../../../src/core/decide/decision.ts'
import type { Cost } from '../../../src/core/model/meter.ts'
import { createHeldStore, quiet } from '../held-store.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner } from '../test-config.ts'
import { createTestNode, createTestWorld, type TestNode, type TestWorld } from '../test-limiter.ts'
import { available } from '../token-world.ts'

const MS = 1_000_000n

const worldWith = (...limits: readonly object[]): TestWorld => {
  const world = createTestWorld({ leaseTtlMs: 1000 })
  world.config.putEntity('key')
  world.config.putLimits(entityOwner('key'), '_default_', parseLimits(limits, 'limits'))
  return world
}

const bucket = { name: 'tpm', capacity: 10_000, refill_rate: 100 }

const decide = ({ limiter }: TestNode, cost: Cost, settles = false): Promise<Decision> =>
  limiter.decide({ entityId: 'key', cost, settles })

/** Requests one after the other, `everyMs` apart; returns how many were allowed. */
const decideMany = async (
  { clock, node }: TestWorld,
  count: number,
  everyMs: number,
  cost: Cost = { tokens: 1 },
): Promise<number> => {
  let allowed = 0
  for (let turn = 0; turn < count; turn++) {
    if ((await decide(node, cost)).allowed) allowed++
    clock.advance(BigInt(everyMs) * MS)
  }
  return allowed
}

const writesOf = ({ counts }: TestNode): number => counts.bucket_writes ?? 0

describe('a lease', () => {
  test('serves most decisions on a busy key without a write', async () => {
    const world = worldWith(bucket)
    expect(await decideMany(world, 1000, 1)).toBe(1000)
    expect(writesOf(world.node)).toBeLessThan(20)
    expect(await available(world)).toBeLessThanOrEqual(9000 + 100)
  })

  test('is not taken for a rarely used key', async () => {
    const world = worldWith(bucket)
    expect(await decideMany(world, 10, 500)).toBe(10)
    expect(writesOf(world.node)).toBe(10)
  })

  test('is counted as available by the process that holds it', async () => {
    const world = worldWith(bucket)
    await decideMany(world, 200, 0)
    const decision = await decide(world.node, { tokens: 1 })
    expect(decision.limits[0]).toMatchObject({ available: 9799, used: 201 })
  })

  test('takes at most a tenth of what is available', async () => {
    const world = worldWith({ name: 'tpm', capacity: 100, refill_rate: 0.01 })
    expect(await decideMany(world, 50, 0)).toBe(50)
    expect(await available(world)).toBeGreaterThanOrEqual(50 - 10)
    expect(await decideMany(world, 60, 0)).toBe(50)
  })

  test('is not taken if it would not serve two requests', async () => {
    const world = worldWith({ name: 'tpm', capacity: 20, refill_rate: 0.01 })
    expect(await decideMany(world, 3, 0)).toBe(3)
    expect(await available(world)).toBe(17)
  })

  test('is included in the status by the process that holds it', async () => {
    const world = worldWith({ name: 'tpm', capacity: 10_000, refill_rate: 0.01 })
    await decideMany(world, 100, 0)
    expect(await available(world)).toBeLessThan(9900)
    const { limits } = await world.node.limiter.status('key', '_default_')
    expect(limits[0]).toMatchObject({ available: 9900, used: 100 })
    const dry = await world.node.limiter.decide({
      entityId: 'key',
      cost: { tokens: 1 },
      settles: false,
      dryRun: true,
    })
    expect(dry.limits[0]).toMatchObject({ available: 9900 })
  })

  test('expires, and its rest is refunded', async () => {
    const world = worldWith({ name: 'tpm', capacity: 10_000, refill_rate: 0.001 })
    await decideMany(world, 100, 0)
    expect(await available(world)).toBeLessThan(9900)
    world.clock.advance(999n * MS)
    await world.node.limiter.flush()
    expect(await available(world)).toBeLessThan(9900)
    world.clock.advance(MS)
    await world.node.limiter.flush()
    expect(await available(world)).toBe(9900)
  })

  test('is refunded even if its write took so long that its bucket was considered idle', async () => {
    const world = worldWith({ name: 'tpm', capacity: 10_000, refill_rate: 0.001 })
    const buckets = createHeldStore(world.buckets)
    const { limiter } = createTestNode({ ...world, buckets, settings: { leaseTtlMs: 1000 } })
    const sent = Array.from({ length: 5 }, () =>
      limiter.decide({ entityId: 'key', cost: { tokens: 1 }, settles: false }),
    )
    await quiet()
    // the first is served; those that waited for it are charged with a lease
    await buckets.letGo(0)
    await buckets.letGo(0)
    await limiter.flush()
    await limiter.flush()
    await buckets.letAllGo()
    await Promise.all(sent)
    world.clock.advance(SECOND)
    await Promise.all([limiter.flush(), buckets.letAllGo()])
    expect(await available(world)).toBe(9995)
  })

  test('is refunded at once by a process that ends', async () => {
    const world = worldWith({ name: 'tpm', capacity: 10_000, refill_rate: 0.001 })
    await decideMany(world, 100, 0)
    await world.node.limiter.flush({ all: true })
    expect(await available(world)).toBe(9900)
  })

  test.each([
    ['after the monotonic clock was suspended', (world: TestWorld) => world.clock.step(2n * SECOND)],
    [
      'after the wall clock was set back',
      (world: TestWorld) => {
        world.clock.step(-3600n * SECOND)
        world.clock.advance(2n * SECOND)
      },
    ],
  ])('expires %s', async (_, sleep) => {
    const world = worldWith({ name: 'tpm', capacity: 10_000, refill_rate: 0.001 })
    await decideMany(world, 100, 0)
    const before = writesOf(world.node)
    sleep(world)
    await decide(world.node, { tokens: 1 })
    expect(writesOf(world.node)).toBe(before + 1)
  })

  test('ends with its calendar window', async () => {
    const world = worldWith({ name: 'tpm', algorithm: 'fixed_window', limit: 10_000, window: 'minute' })
    world.clock.advance(59n * SECOND + 900n * MS)
    await decideMany(world, 100, 0)
    const before = writesOf(world.node)
    world.clock.advance(100n * MS)
    await decide(world.node, { tokens: 1 })
    expect(writesOf(world.node)).toBe(before + 1)
    expect(await available(world)).toBeGreaterThan(9800)
  })

  test('takes back what was reserved and not used, and lends it again', async () => {
    const world = worldWith({ name: 'tpm', capacity: 10_000, refill_rate: 0.001 })
    await decideMany(world, 100, 0, { tokens: 10 })
    const before = writesOf(world.node)
    const held = await decide(world.node, { tokens: 10 }, true)
    if (held.allowed) await held.reservation.settle({ tokens: 1 })
    expect(writesOf(world.node)).toBe(before)
    await world.node.limiter.flush({ all: true })
    expect(await available(world)).toBe(10_000 - 1000 - 1)
  })

  test('takes back unused tokens before the settlement resolves', async () => {
    const world = worldWith({ name: 'tpm', capacity: 10_000, refill_rate: 0.001 })
    await decideMany(world, 100, 0, { tokens: 10 })
    const held = await decide(world.node, { tokens: 10 }, true)
    if (held.allowed) void held.reservation.settle({ tokens: 1 })
    const decision = await decide(world.node, { tokens: 10 })
    expect(decision.limits[0]).toMatchObject({ used: 1000 + 1 + 10 })
  })

  test('never pays for more additional use than it contains', async () => {
    const world = worldWith({ name: 'tpm', capacity: 10_000, refill_rate: 0.001 })
    await decideMany(world, 100, 0, { tokens: 10 })
    const held = await decide(world.node, { tokens: 10 }, true)
    if (held.allowed) await held.reservation.settle({ tokens: 5000 })
    const { limits } = await decide(world.node, { tokens: 10 })
    expect(limits[0]).toMatchObject({ used: 1000 + 5000 + 10 })
    await world.node.limiter.flush({ all: true })
    expect(await available(world)).toBe(10_000 - 1000 - 5000 - 10)
  })

  test('leaves a settlement to the table after it expires', async () => {
    const world = worldWith({ name: 'tpm', capacity: 10_000, refill_rate: 0.001 })
    await decideMany(world, 100, 0, { tokens: 10 })
    const held = await decide(world.node, { tokens: 10 }, true)
    await world.node.limiter.flush({ all: true })
    if (held.allowed) await held.reservation.settle({ tokens: 1 })
    expect(await available(world)).toBe(10_000 - 1000 - 1)
    const other = await decide(world.node, { tokens: 10 }, true)
    world.clock.advance(3n * SECOND)
    if (other.allowed) await other.reservation.settle({ tokens: 30 })
    await world.node.limiter.flush({ all: true })
    expect(await available(world)).toBe(10_000 - 1000 - 31)
  })

  test('leaves settlements to the table if it was spent when all leases were refunded', async () => {
    // without renewals, a lease can be spent to its last token
    const world = worldWith({ name: 'tpm', capacity: 10_000, refill_rate: 0.001 })
    const node = world.join({ leaseTtlMs: 1000, useDelayMs: 0 })
    const held: Decision[] = []
    for (let turn = 0; turn < 100; turn++) held.push(await decide(node, { tokens: 10 }, true))
    await node.limiter.flush({ all: true })
    for (const decision of held) if (decision.allowed) await decision.reservation.settle({ tokens: 1 })
    await node.limiter.flush({ all: true })
    expect(await available(world)).toBe(10_000 - 100)
  })

  test.each([
    ['by this process', (world: TestWorld) => world.node],
    ['by another process, as soon as its state is read', (world: TestWorld) => world.join()],
  ])('is void after a reset %s', async (_, resetting) => {
    const world = worldWith({ name: 'tpm', capacity: 1000, refill_rate: 0.001 })
    await decideMany(world, 100, 0)
    await resetting(world).limiter.reset('key', {})
    // larger than any lease, so it goes to the table
    await decide(world.node, { tokens: 500 })
    expect(await decideMany(world, 600, 0)).toBe(500)
    await world.node.limiter.flush({ all: true })
    expect(await available(world)).toBe(0)
  })

  test('does not pay for a meter that it has not charged', async () => {
    const world = worldWith(bucket, { name: 'rpm', capacity: 1000, refill_rate: 1 })
    await decideMany(world, 50, 0, { requests: 1 })
    await decideMany(world, 3, 0, { requests: 1, tokens: 500 })
    await world.node.limiter.flush({ all: true })
    const { limits } = await world.join().limiter.status('key', '_default_')
    expect(limits.map(({ used }) => used)).toEqual([1500, 53])
  })

  test('never denies a request that is larger than itself', async () => {
    const world = worldWith({ name: 'tpm', capacity: 1000, refill_rate: 0.001 })
    expect(await decideMany(world, 20, 0)).toBe(20)
    expect((await decide(world.node, { tokens: 950 })).allowed).toBe(true)
  })

  test.each([
    ['token bucket', { name: 'tpm', capacity: 1000, refill_rate: 0.001 }],
    ['sliding window', { name: 'tpm', algorithm: 'sliding_window', limit: 1000, window_seconds: 600 }],
    ['fixed window', { name: 'tpm', algorithm: 'fixed_window', limit: 1000, window: 'day' }],
  ])('is refunded if it would deny a request that it is too small for: %s', async (_, size) => {
    const world = worldWith(size)
    expect(await decideMany(world, 100, 0)).toBe(100)
    const left = (await available(world)) ?? 0
    expect(left).toBeLessThan(900)
    expect((await decide(world.node, { tokens: 901 })).allowed).toBe(false)
    expect((await decide(world.node, { tokens: 900 })).allowed).toBe(true)
    expect(await available(world)).toBe(0)
    expect(await decideMany(world, 3, 0)).toBe(0)
  })

  test('is not refunded if that would not help', async () => {
    const world = worldWith({ name: 'tpm', capacity: 1000, refill_rate: 0.001 })
    await decideMany(world, 100, 0)
    const before = writesOf(world.node)
    expect((await decide(world.node, { tokens: 901 })).allowed).toBe(false)
    expect(writesOf(world.node) - before).toBe(1)
    expect(await decideMany(world, 5, 0)).toBe(5)
    expect(writesOf(world.node) - before).toBe(1)
  })

  test('is not taken if a limit or the settings disable leases', async () => {
    const world = worldWith({ ...bucket, lease_ttl_seconds: 0 })
    await decideMany(world, 50, 0)
    expect(writesOf(world.node)).toBe(50)
    const exact = world.join({ leaseTtlMs: 0 })
    for (let turn = 0; turn < 50; turn++) await decide(exact, { tokens: 1 })
    // the first decision of a node without a cached bucket finds that out
    expect(writesOf(exact)).toBe(51)
  })

  test('lasts as long as the limit configures', async () => {
    const world = worldWith({ ...bucket, refill_rate: 0.001, lease_ttl_seconds: 5 })
    await decideMany(world, 200, 0)
    const before = writesOf(world.node)
    world.clock.advance(4n * SECOND)
    await decide(world.node, { tokens: 1 })
    expect(writesOf(world.node)).toBe(before)
    world.clock.advance(1n * SECOND)
    await decide(world.node, { tokens: 1 })
    expect(writesOf(world.node)).toBe(before + 1)
  })

  test('serves a parent shared by many keys', async () => {
    const world = createTestWorld({ leaseTtlMs: 1000 })
    world.config.putEntity('project')
    world.config.putLimits(
      entityOwner('project'),
      '_default_',
      parseLimits([{ ...bucket, name: 'tph', meter: 'tokens' }], 'limits'),
    )
    for (let child = 0; child < 100; child++) {
      world.config.putEntity(`key-${child}`, { parentId: 'project' })
      world.config.putLimits(entityOwner(`key-${child}`), '_default_', parseLimits([bucket], 'limits'))
    }
    for (let child = 0; child < 100; child++)
      await world.node.limiter.decide({ entityId: `key-${child}`, cost: { tokens: 1 }, settles: false })
    expect(writesOf(world.node)).toBeLessThan(130)
  })
})
