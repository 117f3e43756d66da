import { describe, expect, test } from 'vitest'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { createTestWorld, type TestNode, type TestWorld } from '../test-limiter.ts'
import { admits, worldOf } from '../token-world.ts'

/** Regression cases on the real limiter: several limits in one bucket. Times in seconds. */

describe('limits of one bucket', () => {
  test('are charged together when each has gone from full to refilling since it was cached', async () => {
    const world = createTestWorld()
    world.config.putEntity('key')
    world.config.putLimits(
      entityOwner('key'),
      '_default_',
      limitsOf({ rps: [9, 9], rpm: [9, 1], rph: [9, 0.1] }),
    )
    const [old, other] = [world.join(), world.join()]
    const decide = (node: TestNode) =>
      node.limiter.decide({ entityId: 'key', cost: { requests: 1 }, settles: false })
    expect((await decide(old)).allowed).toBe(true)
    world.clock.advance(100n * SECOND)
    expect((await decide(other)).allowed).toBe(true)
    expect((await decide(old)).allowed).toBe(true)
    expect(old.counts.bucket_writes).toBeLessThanOrEqual(3)
  })

  test('can be joined by another while the bucket exists', async () => {
    const world = worldOf(100, 1)
    expect(await admits(world.node, 60)).toBe(true)
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [1, 1 / 60], tpm: [100, 1] }))
    const fresh = world.join()
    const decide = () =>
      fresh.limiter.decide({ entityId: 'key', cost: { requests: 1, tokens: 10 }, settles: false })
    expect((await decide()).allowed).toBe(true)
    expect(await decide()).toMatchObject({
      allowed: false,
      violations: [{ state: { limit: { name: 'rpm' } } }],
    })
    expect(
      (await world.join().limiter.status('key', '_default_')).limits.map((limit) => limit.available),
    ).toEqual([0, 30])
  })

  test('share one bucket for all unregistered resource names', async () => {
    const world = worldOf(10, 1 / 3600)
    world.config.putModel('gpt-4')
    for (let turn = 0; turn < 10; turn++)
      expect(await admits(world.node, 1, { resource: `model-${turn}` })).toBe(true)
    expect(await admits(world.node, 1, { resource: 'model-x' })).toBe(false)
    expect(await admits(world.node, 1, { resource: 'gpt-4' })).toBe(true)
  })

  test('on input and output tokens replace a default on tokens', async () => {
    const world = createTestWorld({ defaultLimits: limitsOf({ tpm: [10_000, 100], rpm: [5, 1] }) })
    world.config.putEntity('key')
    world.config.putLimits(
      entityOwner('key'),
      '_default_',
      limitsOf({ itpm: [20_000, 300], otpm: [10_000, 100] }),
    )
    const cost = { requests: 1, input_tokens: 15_000, output_tokens: 1000 }
    expect((await world.node.limiter.decide({ entityId: 'key', cost, settles: false })).allowed).toBe(true)
    expect((await world.node.limiter.explain('key')).map(({ limit }) => limit.name).sort()).toEqual([
      'itpm',
      'otpm',
      'rpm',
    ])
  })
})

const familyOf = (own: number, parent: number): TestWorld => {
  const world = createTestWorld()
  world.config.putEntity('project')
  world.config.putEntity('key', { parentId: 'project' })
  world.config.putLimits(entityOwner('project'), '_default_', limitsOf({ rpm: [parent, parent / 60] }))
  world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [own, own / 60] }))
  return world
}

const decide = ({ limiter }: TestNode) =>
  limiter.decide({ entityId: 'key', cost: { requests: 1 }, settles: false })

const revOf = async (world: TestWorld, id: string) =>
  (await world.buckets.read(entityBucket(id, '_default_')))?.rev

describe('a bucket that will deny according to its cached state', () => {
  test('is charged before the others, which are not written if it denies', async () => {
    const world = familyOf(1, 100)
    await decide(world.node)
    const [writes = 0, rev] = [world.node.counts.bucket_writes, await revOf(world, 'project')]
    expect(await decide(world.node)).toMatchObject({
      allowed: false,
      violations: [{ state: { entityId: 'key' } }],
    })
    expect(world.node.counts.bucket_writes).toBe(writes + 1)
    expect(await revOf(world, 'project')).toBe(rev)
  })

  test("leaves the caller's bucket unwritten if it is the parent's", async () => {
    const world = familyOf(100, 1)
    await decide(world.node)
    const rev = await revOf(world, 'key')
    const decision = await decide(world.node)
    expect(decision).toMatchObject({ allowed: false, violations: [{ state: { entityId: 'project' } }] })
    expect(decision.limits.map(({ entityId, available }) => [entityId, available])).toEqual([
      ['key', 99],
      ['project', 0],
    ])
    expect(await revOf(world, 'key')).toBe(rev)
  })

  test('admits the request if it has more by then', async () => {
    const world = familyOf(1, 100)
    const [old, other] = [world.join(), world.join()]
    await decide(old)
    await other.limiter.topUp('key', { resource: '_default_' })
    const decision = await decide(old)
    expect(decision).toMatchObject({
      allowed: true,
      limits: [
        { entityId: 'key', available: 0 },
        { entityId: 'project', available: 98 },
      ],
    })
  })

  test('is still refunded if another bucket denies', async () => {
    const world = familyOf(1, 2)
    const [old, other] = [world.join(), world.join()]
    await decide(old)
    await other.limiter.topUp('key', { resource: '_default_' })
    expect((await decide(other)).allowed).toBe(true)
    await other.limiter.topUp('key', { resource: '_default_' })
    world.clock.advance(SECOND)
    expect(await decide(old)).toMatchObject({
      allowed: false,
      violations: [{ state: { entityId: 'project' } }],
    })
    expect((await world.join().limiter.status('key', '_default_')).limits[0]?.available).toBe(1)
  })
})
