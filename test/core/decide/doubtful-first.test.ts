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

const ask = ({ limiter }: TestNode) =>
  limiter.decide({ entityId: 'key', cost: { requests: 1 }, settles: false })

const revOf = async (world: TestWorld, id: string) =>
  (await world.buckets.read(entityBucket(id, '_default_')))?.rev

describe('a bucket that will deny, by what was last seen of it', () => {
  test('is asked before the others, which are left alone where it does', async () => {
    const world = familyOf(1, 100)
    await ask(world.node)
    const [writes = 0, rev] = [world.node.counts.bucket_writes, await revOf(world, 'project')]
    expect(await ask(world.node)).toMatchObject({
      allowed: false,
      violations: [{ state: { entityId: 'key' } }],
    })
    expect(world.node.counts.bucket_writes).toBe(writes + 1)
    expect(await revOf(world, 'project')).toBe(rev)
  })

  test('leaves the bucket of the caller alone where it is its parent', async () => {
    const world = familyOf(100, 1)
    await ask(world.node)
    const rev = await revOf(world, 'key')
    const decision = await ask(world.node)
    expect(decision).toMatchObject({ allowed: false, violations: [{ state: { entityId: 'project' } }] })
    expect(decision.limits.map(({ entityId, available }) => [entityId, available])).toEqual([
      ['key', 99],
      ['project', 0],
    ])
    expect(await revOf(world, 'key')).toBe(rev)
  })

  test('lets the request through all the same where more has come since', async () => {
    const world = familyOf(1, 100)
    const [old, other] = [world.join(), world.join()]
    await ask(old)
    await other.limiter.topUp('key', { resource: '_default_' })
    const decision = await ask(old)
    expect(decision).toMatchObject({
      allowed: true,
      limits: [
        { entityId: 'key', available: 0 },
        { entityId: 'project', available: 98 },
      ],
    })
  })

  test('still gives back what it took where the others deny', async () => {
    const world = familyOf(1, 2)
    const [old, other] = [world.join(), world.join()]
    await ask(old)
    await other.limiter.topUp('key', { resource: '_default_' })
    expect((await ask(other)).allowed).toBe(true)
    await other.limiter.topUp('key', { resource: '_default_' })
    world.clock.advance(SECOND)
    expect(await ask(old)).toMatchObject({ allowed: false, violations: [{ state: { entityId: 'project' } }] })
    expect((await world.join().limiter.status('key', '_default_')).limits[0]?.available).toBe(1)
  })
})
