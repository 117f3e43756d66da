import { describe, expect, test } from 'vitest'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { createTestWorld, type TestNode, type TestWorld } from '../test-limiter.ts'

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
