import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import { entityBucket, policyBucket } from '../../../src/core/bucket/bucket-store.ts'
import type { Allowed, Decision, DecisionRequest } from '../../../src/core/decide/decision.ts'
import { GLOBAL_POLICY } from '../../../src/core/model/policy.ts'
import { createHeldStore, quiet } from '../held-store.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner } from '../test-config.ts'
import { createTestNode, createTestWorld, nodeOff, type TestNode, type TestWorld } from '../test-limiter.ts'

const BUCKET = entityBucket('key', '_default_')

const conc = (limit: number, more: object = {}) => ({
  name: 'conc',
  algorithm: 'concurrency',
  limit,
  ...more,
})

const rpm = (capacity: number) => ({ name: 'rpm', capacity, refill_rate: 1 })

const limit = ({ config }: TestWorld, entityId: string, ...limits: readonly object[]): void =>
  config.putLimits(entityOwner(entityId), '_default_', parseLimits(limits, 'limits'))

const worldWith = (...limits: readonly object[]): TestWorld => {
  const world = createTestWorld()
  world.config.putEntity('key')
  limit(world, 'key', ...limits)
  return world
}

const decide = ({ limiter }: TestNode, options: Partial<DecisionRequest> = {}): Promise<Decision> =>
  limiter.decide({ entityId: 'key', cost: { requests: 1 }, settles: true, ...options })

const allowed = (decision: Decision): Allowed => (decision.allowed ? decision : expect.fail('denied'))

const hold = async (node: TestNode, options: Partial<DecisionRequest> = {}): Promise<Allowed> =>
  allowed(await decide(node, options))

const look = (node: TestNode): Promise<Decision> => decide(node, { settles: false })

const slotsIn = async ({ buckets }: Pick<TestWorld, 'buckets'>, bucket = BUCKET): Promise<number> => {
  const slots = (await buckets.read(bucket))?.conc_slots
  return typeof slots === 'object' ? Object.keys(slots).length : 0
}

describe('a concurrency limit', () => {
  test('admits as many requests as it has slots, and the next when one ends', async () => {
    const world = worldWith(conc(2))
    const first = await hold(world.node)
    expect(first.limits).toMatchObject([{ capacity: 2, available: 1, used: 1 }])
    const second = await hold(world.node)
    expect(await decide(world.node)).toMatchObject({
      allowed: false,
      retryAfterNs: SECOND,
      violations: [{ requested: 1, retryAfterNs: SECOND, state: { available: 0, used: 2 } }],
    })
    await first.reservation.settle({ requests: 1 })
    const third = await hold(world.node)
    await second.reservation.release()
    await third.reservation.release()
    expect(await slotsIn(world)).toBe(0)
  })

  test.each([
    ['the amounts are as reserved', { tokens: 10 }],
    ['more was used', { tokens: 15 }],
    ['less was used', { tokens: 1 }],
    ['nothing is stated', {}],
  ])('frees the slot at the settlement if %s', async (_, actual) => {
    const world = worldWith(conc(1), { name: 'tpm', capacity: 100, refill_rate: 1 })
    const { reservation } = await hold(world.node, { cost: { tokens: 10 } })
    const writes = world.node.counts.bucket_writes ?? 0
    await reservation.settle(actual)
    expect(world.node.counts.bucket_writes).toBe(writes + 1)
    expect(await slotsIn(world)).toBe(0)
    expect((await world.buckets.read(BUCKET))?.used_tokens).toBe(BigInt({ tokens: 10, ...actual }.tokens))
  })

  test('takes one slot whatever the cost is, in the write of the other limits', async () => {
    const world = worldWith(conc(2), rpm(100))
    await hold(world.node, { cost: { requests: 7, tokens: 500 } })
    await hold(world.node, { cost: { tokens: 0 } })
    expect(await slotsIn(world)).toBe(2)
    expect(world.node.counts.bucket_writes).toBe(2)
    expect(await decide(world.node, { cost: {} })).toMatchObject({ allowed: false })
  })

  test('changes nothing when a reservation ends twice, and never frees the slot of another', async () => {
    const world = worldWith(conc(1))
    const first = await hold(world.node)
    await first.reservation.release()
    const second = await hold(world.node)
    await first.reservation.release()
    await first.reservation.settle({})
    await world.node.limiter.settleCharges(first.reservation.charges, null)
    expect(await slotsIn(world)).toBe(1)
    expect(await look(world.node)).toMatchObject({ allowed: false })
    await second.reservation.release()
  })

  test('is looked at by a request that holds nothing', async () => {
    const world = worldWith(conc(1), rpm(100))
    expect(await look(world.node)).toMatchObject({
      allowed: true,
      limits: [{ available: 1 }, { available: 99 }],
    })
    expect(await slotsIn(world)).toBe(0)
    const { reservation } = await hold(world.node)
    expect(await look(world.node)).toMatchObject({
      allowed: false,
      violations: [{ requested: 1, state: { limit: { name: 'conc' } } }],
    })
    expect(await decide(world.node, { dryRun: true })).toMatchObject({ allowed: false })
    await reservation.release()
    expect(await decide(world.node, { dryRun: true })).toMatchObject({ allowed: true })
    expect(await slotsIn(world)).toBe(0)
  })

  test('can be held by a request whose use is counted at once', async () => {
    const world = worldWith(conc(1), rpm(10))
    const { reservation } = await hold(world.node, { settles: false, holds: true })
    expect(await slotsIn(world)).toBe(1)
    await reservation.release()
    await world.node.limiter.flush({ all: true })
    expect(await slotsIn(world)).toBe(0)
    expect(await world.buckets.read(BUCKET)).toMatchObject({ used_requests: 1n })
    expect((await world.node.limiter.status('key', '_default_')).limits).toMatchObject([
      { available: 1 },
      { available: 9 },
    ])
  })

  test('gets the slot of a holder that crashed back when it expires, and not before', async () => {
    const world = worldWith(conc(1, { lease_seconds: 30 }))
    await hold(world.node)
    const other = world.join()
    world.clock.advance(30n * SECOND - 1n)
    expect(await decide(other)).toMatchObject({ allowed: false })
    world.clock.advance(1n)
    const { reservation } = await hold(other)
    expect(await slotsIn(world)).toBe(1)
    await reservation.release()
    expect(await slotsIn(world)).toBe(0)
  })

  test('keeps a slot that is renewed, and does not renew one that is gone', async () => {
    const world = worldWith(conc(1, { lease_seconds: 30 }))
    const { reservation } = await hold(world.node)
    expect(reservation.held?.leaseNs).toBe(30n * SECOND)
    for (let round = 0; round < 5; round++) {
      world.clock.advance(20n * SECOND)
      expect(await reservation.held?.renew()).toBe(true)
    }
    world.clock.advance(31n * SECOND)
    const next = await hold(world.join())
    expect(await reservation.held?.renew()).toBe(false)
    await reservation.release()
    expect(await slotsIn(world)).toBe(1)
    await next.reservation.release()
    expect(await next.reservation.held?.renew()).toBe(false)
  })

  test('holds slots until the time that the request names', async () => {
    const world = worldWith(conc(1, { lease_seconds: 30 }))
    const until = world.clock.now() + 100n * SECOND
    await hold(world.node, { slotsUntil: until })
    world.clock.advance(99n * SECOND)
    expect(await decide(world.node)).toMatchObject({ allowed: false })
    world.clock.advance(SECOND)
    await hold(world.node)
  })

  test('can be settled and renewed on another node, also with a state from before the charge', async () => {
    const world = worldWith(conc(2))
    const other = world.join()
    await (await hold(other)).reservation.release()
    const { reservation } = await hold(world.node)
    const until = world.clock.now() + 500n * SECOND
    expect(await other.limiter.renewSlots(reservation.charges, until)).toBe(true)
    expect(Object.values((await world.buckets.read(BUCKET))?.conc_slots ?? {})).toEqual([until])
    await (await hold(world.join())).reservation.release()
    const stale = world.join()
    await stale.limiter.status('key', '_default_')
    await other.limiter.settleCharges(reservation.charges, {})
    expect(await slotsIn(world)).toBe(0)
    await stale.limiter.settleCharges(reservation.charges, {})
    expect(await stale.limiter.renewSlots(reservation.charges, until)).toBe(false)
  })

  test('is shared by the nodes of a table, and by requests that share a write', async () => {
    const world = worldWith(conc(30))
    const nodes = [world.node, world.join()]
    const decisions = await Promise.all(
      Array.from({ length: 80 }, (_, at) => decide(nodes[at % 2] ?? world.node)),
    )
    const held = decisions.filter((decision) => decision.allowed)
    expect(held).toHaveLength(30)
    expect(await slotsIn(world)).toBe(30)
    const writes = nodes.reduce((sum, { counts }) => sum + (counts.bucket_writes ?? 0), 0)
    expect(writes).toBeLessThan(20)
    await Promise.all(held.map(({ reservation }) => reservation.release()))
    expect(await slotsIn(world)).toBe(0)
  })

  test('holds slots of parents, of _total_ and of policies, and frees all of them if one denies', async () => {
    const world = createTestWorld()
    world.config.putEntity('team')
    world.config.putEntity('key', { parentId: 'team' })
    limit(world, 'team', conc(2))
    limit(world, 'key', conc(5))
    world.config.putLimits(entityOwner('key'), '_total_', parseLimits([conc(3)], 'limits'))
    world.config.putLimits({ kind: 'policy', ...GLOBAL_POLICY }, '_total_', parseLimits([conc(1)], 'limits'))
    const buckets = [
      BUCKET,
      entityBucket('key', '_total_'),
      entityBucket('team', '_default_'),
      policyBucket(GLOBAL_POLICY),
    ]
    const counts = () => Promise.all(buckets.map((bucket) => slotsIn(world, bucket)))
    const { reservation } = await hold(world.node)
    expect(await counts()).toEqual([1, 1, 1, 1])
    expect(await decide(world.join())).toMatchObject({
      allowed: false,
      violations: [{ state: { entityId: 'POLICY:GLOBAL:*' } }],
    })
    expect(await counts()).toEqual([1, 1, 1, 1])
    await world.node.limiter.settleCharges(reservation.charges, {}, { callerId: 'key' })
    expect(await counts()).toEqual([0, 0, 0, 0])
  })

  test('takes no slot while it only warns and is full, and reports the excess', async () => {
    const world = worldWith(conc(1, { mode: 'warn' }))
    const first = await hold(world.node)
    const second = await hold(world.node)
    expect(second.reported).toMatchObject([{ requested: 1, state: { limit: { name: 'conc' }, used: 1 } }])
    expect(second.reservation.held).toBeUndefined()
    await second.reservation.settle({})
    expect(await slotsIn(world)).toBe(1)
    await first.reservation.settle({})
    expect(await slotsIn(world)).toBe(0)
    expect((await hold(world.node)).reported).toEqual([])
  })

  test('keeps slots for callers of a higher priority', async () => {
    const world = worldWith(conc(4, { headroom: { low: 0.5 } }))
    world.config.putEntity('team')
    limit(world, 'team', conc(4, { headroom: { low: 0.5 } }))
    world.config.putEntity('key', { parentId: 'team', priority: 'low' })
    world.config.putEntity('vip', { parentId: 'team', priority: 'high' })
    await hold(world.node)
    const last = await hold(world.node)
    expect(last.limits).toMatchObject([{ available: 0 }, { available: 0 }])
    expect(await decide(world.node)).toMatchObject({ allowed: false })
    await hold(world.node, { entityId: 'vip' })
    await hold(world.node, { entityId: 'vip' })
    expect(await decide(world.node, { entityId: 'vip' })).toMatchObject({ allowed: false })
  })

  test('does not concern an entity that is never limited', async () => {
    const world = worldWith(conc(1))
    world.config.putEntity('key', { bypass: true })
    await hold(world.node)
    expect((await hold(world.node)).reservation.held).toBeUndefined()
    expect(await slotsIn(world)).toBe(0)
  })

  test('denies everything while it is paused', async () => {
    const world = worldWith(conc(0))
    expect(await decide(world.node)).toMatchObject({ allowed: false, retryAfterNs: null })
    expect(await look(world.node)).toMatchObject({ allowed: false, retryAfterNs: null })
    expect(await world.buckets.read(BUCKET)).toBeUndefined()
  })

  test('keeps its slots when it is lowered, and admits again below the new size', async () => {
    const world = worldWith(conc(3))
    const held = [await hold(world.node), await hold(world.node), await hold(world.node)]
    limit(world, 'key', conc(2))
    world.node.limiter.forget()
    expect(await decide(world.node)).toMatchObject({
      allowed: false,
      limits: [{ capacity: 2, available: 0, used: 2 }],
    })
    await held[0]?.reservation.settle({})
    expect(await decide(world.node)).toMatchObject({ allowed: false })
    await held[1]?.reservation.settle({})
    await hold(world.node)
    expect(await slotsIn(world)).toBe(2)
  })

  test('is empty after a reset, which no earlier holder can change', async () => {
    const world = worldWith(conc(1))
    const { reservation } = await hold(world.node)
    await world.node.limiter.reset('key', {})
    const next = await hold(world.node)
    await reservation.release()
    expect(await reservation.held?.renew()).toBe(false)
    expect(await slotsIn(world)).toBe(1)
    await next.reservation.release()
  })

  test('keeps the item as long as a slot may be held', async () => {
    const world = worldWith(conc(1))
    const { reservation } = await hold(world.node)
    const hours = 60n
    for (let hour = 0n; hour < hours; hour++) {
      world.clock.advance(3600n * SECOND)
      await reservation.held?.renew(world.clock.now() + 3600n * SECOND)
    }
    const ttl = (await world.buckets.read(BUCKET))?.ttl ?? 0n
    expect(BigInt(String(ttl)) * SECOND).toBeGreaterThan(world.clock.now() + 2n * 86_400n * SECOND)
  })

  test('takes one slot if the response to its write is lost, and that expires', async () => {
    const world = worldWith(conc(2))
    const held = createHeldStore(world.buckets)
    const node = createTestNode({ ...world, buckets: held })
    const deciding = decide(node)
    await quiet()
    await held.letGo(0, 'applied and lost')
    await held.letAllGo()
    const { reservation } = allowed(await deciding)
    expect(await slotsIn(world)).toBe(1)
    const releasing = reservation.release()
    await held.letAllGo()
    await releasing
    expect(await slotsIn(world)).toBe(0)
  })

  test('is taken over as early as the clocks of two nodes differ', async () => {
    const world = worldWith(conc(1, { lease_seconds: 30 }))
    const ahead = nodeOff(world, 4)
    await hold(world.node)
    world.clock.advance(25n * SECOND)
    expect(await decide(ahead)).toMatchObject({ allowed: false })
    world.clock.advance(SECOND)
    expect(await decide(ahead)).toMatchObject({ allowed: true })
  })
})

describe('a concurrency limit where leases are on', () => {
  const leased = (...limits: readonly object[]): TestWorld => {
    const world = createTestWorld({ leaseTtlMs: 1000 })
    world.config.putEntity('key')
    limit(world, 'key', ...limits)
    return world
  }

  test('is never leased: each request finds its slot in the table', async () => {
    const world = leased(conc(3), rpm(10_000))
    for (let round = 0; round < 50; round++) {
      const { reservation } = await hold(world.node)
      expect(await slotsIn(world)).toBe(1)
      await reservation.settle({})
    }
    expect(world.node.counts.bucket_writes).toBe(100)
  })

  test('repeats a denial without a write, for at most a second, and not after a release in this process', async () => {
    const world = leased(conc(1))
    const { reservation } = await hold(world.node)
    await decide(world.node)
    const writes = world.node.counts.bucket_writes
    const repeated = await decide(world.node)
    expect(repeated).toMatchObject({
      allowed: false,
      retryAfterNs: SECOND,
      violations: [{ requested: 1, retryAfterNs: SECOND }],
    })
    expect(await look(world.node)).toMatchObject({ allowed: false })
    expect(world.node.counts.bucket_writes).toBe(writes)
    await reservation.release()
    const next = await hold(world.node)
    const other = world.join({ leaseTtlMs: 1000 })
    await decide(other)
    await next.reservation.release()
    expect(await decide(other)).toMatchObject({ allowed: false })
    world.clock.advance(SECOND)
    await hold(other)
  })

  test('does not repeat a denial beyond the expiry of a slot', async () => {
    const world = leased(conc(1, { lease_seconds: 1 }))
    await hold(world.node)
    world.clock.advance(SECOND / 2n)
    await decide(world.node)
    expect(await decide(world.node)).toMatchObject({ allowed: false, violations: [{ requested: 1 }] })
    world.clock.advance(SECOND / 2n)
    await hold(world.node)
  })
})
