import { describe, expect, test } from 'vitest'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import type { BucketItem } from '../../../src/core/bucket/write.ts'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import type { Cost } from '../../../src/core/model/meter.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { createTestWorld, type TestWorld } from '../test-limiter.ts'
import { admits, reserve, reserveCost, stored, worldOf } from '../token-world.ts'

const createFamily = (): TestWorld => {
  const world = createTestWorld()
  world.config.putEntity('project')
  world.config.putEntity('key', { parentId: 'project' })
  world.config.putLimits(entityOwner('project'), '_default_', limitsOf({ rpm: [100, 1] }))
  world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [3, 1 / 3600] }))
  return world
}

const decide = (world: TestWorld, settles: boolean, cost: Cost = { requests: 1, tokens: 7 }) =>
  world.node.limiter.decide({ entityId: 'key', cost, settles })

const itemOf = async (world: TestWorld, id: string): Promise<BucketItem> =>
  (await world.buckets.read(entityBucket(id, '_default_'))) ?? {}

describe('use', () => {
  test('is counted for every meter, limited or not, on settlement and not before', async () => {
    const world = createFamily()
    const decision = await decide(world, true, { requests: 1, tokens: 50 })
    expect(await itemOf(world, 'key')).not.toHaveProperty('used_tokens')
    if (decision.allowed)
      await decision.reservation.settle({ requests: 1, input_tokens: 8, output_tokens: 4 })
    await world.node.limiter.flush({ all: true })
    for (const id of ['key', 'project']) {
      expect(await itemOf(world, id)).toMatchObject({
        used_requests: 1n,
        used_input_tokens: 8n,
        used_output_tokens: 4n,
        used_tokens: 12n,
      })
    }
  })

  test('is counted once however often a reservation is settled or released', async () => {
    const world = createFamily()
    const decision = await decide(world, true)
    if (!decision.allowed) throw new Error('denied')
    await decision.reservation.settle({ tokens: 5 })
    await decision.reservation.settle({ tokens: 500 })
    await decision.reservation.release()
    await world.node.limiter.flush({ all: true })
    expect(await itemOf(world, 'key')).toMatchObject({ used_requests: 1n, used_tokens: 5n })
    expect((await world.join().limiter.status('key', '_default_')).limits[0]?.available).toBe(2)
  })

  test('is not counted for releases, denials or dry runs', async () => {
    const world = createFamily()
    const decision = await decide(world, true)
    if (decision.allowed) await decision.reservation.release()
    expect((await decide(world, false, { requests: 4 })).allowed).toBe(false)
    const dry = await world.node.limiter.decide({
      entityId: 'key',
      cost: { requests: 1 },
      settles: false,
      dryRun: true,
    })
    expect(dry.allowed).toBe(true)
    await world.node.limiter.flush({ all: true })
    expect(await itemOf(world, 'key')).not.toHaveProperty('used_requests')
    expect((await world.join().limiter.status('key', '_default_')).limits[0]?.available).toBe(3)
  })

  test('of several buckets is written with the next write, or within a second', async () => {
    const world = createFamily()
    await decide(world, false)
    await decide(world, false)
    expect(await itemOf(world, 'key')).toMatchObject({ used_requests: 1n })
    await world.node.limiter.flush()
    expect(await itemOf(world, 'key')).toMatchObject({ used_requests: 1n })
    world.clock.advance(SECOND)
    await world.node.limiter.flush()
    expect(await itemOf(world, 'key')).toMatchObject({ used_requests: 2n, used_tokens: 14n })
    const writes = world.node.counts.bucket_writes
    await world.node.limiter.flush({ all: true })
    expect(world.node.counts.bucket_writes).toBe(writes)
  })
})

describe('denials', () => {
  test("are counted once on the caller's bucket and per limit on the bucket that denied, after ten seconds", async () => {
    const world = createFamily()
    world.config.putLimits(entityOwner('project'), '_default_', limitsOf({ rpm: [3, 1 / 3600] }))
    for (let turn = 0; turn < 3; turn++) expect((await decide(world, false)).allowed).toBe(true)
    await world.node.limiter.flush({ all: true })
    for (let turn = 0; turn < 2; turn++) expect((await decide(world, false)).allowed).toBe(false)
    world.clock.advance(9n * SECOND)
    await world.node.limiter.flush()
    expect(await itemOf(world, 'project')).not.toHaveProperty('denied_rpm')
    world.clock.advance(SECOND)
    await world.node.limiter.flush()
    expect(await itemOf(world, 'key')).toMatchObject({ denied: 2n, denied_rpm: 2n })
    expect(await itemOf(world, 'project')).toMatchObject({ denied_rpm: 2n })
    expect(await itemOf(world, 'project')).not.toHaveProperty('denied')
  })
})

describe('counts that are due', () => {
  const createCrowd = async (count: number) => {
    const world = createTestWorld()
    for (let index = 0; index < count; index++) {
      world.config.putEntity(`key-${index}`)
      await world.node.limiter.decide({ entityId: `key-${index}`, cost: { requests: 1 }, settles: false })
    }
    return world
  }

  test('are written a few at a time, so that decisions do not wait for them', async () => {
    const world = await createCrowd(100)
    const { write } = world.buckets
    let [underWay, most, written] = [0, 0, 0]
    world.buckets.write = async (id, wanted) => {
      most = Math.max(most, ++underWay)
      await Promise.resolve()
      underWay--
      written++
      return write(id, wanted)
    }
    await world.node.limiter.flush({ all: true })
    expect(written).toBe(100)
    expect(most).toBeLessThanOrEqual(8)
  })

  test('are written even if others cannot be, and the failure is reported', async () => {
    const world = await createCrowd(20)
    const { write } = world.buckets
    let calls = 0
    world.buckets.write = async (id, wanted) => {
      if (++calls <= 10) throw new Error('not readable')
      return write(id, wanted)
    }
    await expect(world.node.limiter.flush({ all: true })).rejects.toThrow('not readable')
    expect(calls).toBe(20)
  })

  test('stay pending if they were certainly not written, and are dropped if they may have been', async () => {
    const world = await createCrowd(1)
    const { write } = world.buckets
    const fail = (mayHaveApplied: boolean) => {
      world.buckets.write = async () => {
        throw new StoreUnavailable('away', { mayHaveApplied })
      }
    }
    const bucket = async () => (await world.buckets.read(entityBucket('key-0', '_default_'))) ?? {}
    fail(false)
    await world.node.limiter.flush({ all: true })
    world.buckets.write = write
    await world.node.limiter.flush({ all: true })
    expect(await bucket()).toMatchObject({ used_requests: 1n })
    await world.node.limiter.decide({ entityId: 'key-0', cost: { requests: 1 }, settles: false })
    fail(true)
    await world.node.limiter.flush({ all: true })
    world.buckets.write = write
    await world.node.limiter.flush({ all: true })
    expect(await bucket()).toMatchObject({ used_requests: 1n })
  })
})

/** Makes the writes of waiting counts fail, and succeed again after a second. */
const failing = (world: TestWorld) => {
  const { write } = world.buckets
  return {
    fail(mayHaveApplied: boolean) {
      world.buckets.write = async () => {
        throw new StoreUnavailable('away', { mayHaveApplied })
      }
    },
    async recover() {
      world.buckets.write = write
      world.clock.advance(SECOND)
      await world.node.limiter.flush({ all: true })
    },
  }
}

/** 5 tokens are used and waiting to be counted. */
const createWorld = async () => {
  const world = worldOf(100, 1 / 3600)
  const held = await reserve(world.node, 5)
  await held.reservation.settle({ tokens: 5 })
  expect(await stored(world)).not.toHaveProperty('used_tokens')
  return { world, ...failing(world) }
}

describe('waiting counts', () => {
  test('are written with the next charge', async () => {
    const { world } = await createWorld()
    expect(await admits(world.node, 1)).toBe(true)
    expect(await stored(world)).toMatchObject({ used_tokens: 6n })
  })

  test('are written with the next settlement', async () => {
    const world = worldOf(100, 1 / 3600)
    const [first, second] = [await reserve(world.node, 5), await reserve(world.node, 10)]
    await first.reservation.settle({ tokens: 5 })
    await second.reservation.settle({ tokens: 2 })
    expect(await stored(world)).toMatchObject({ used_tokens: 7n })
  })

  test.each([
    ['stay pending if a charge was certainly not written', false, 5n],
    ['are not counted twice if a charge may have been written', true, undefined],
  ])('%s', async (_, mayHaveApplied, used) => {
    const { world, fail, recover } = await createWorld()
    fail(mayHaveApplied)
    expect(await admits(world.node, 1)).toBe(false)
    await recover()
    expect((await stored(world)).used_tokens).toBe(used)
  })

  test.each([
    ['stay pending, with the new use, if a settlement was certainly not written', false, 7n],
    ['are not counted twice if a settlement may have been written', true, undefined],
  ])('%s', async (_, mayHaveApplied, used) => {
    const world = worldOf(100, 1 / 3600)
    const [first, second] = [await reserve(world.node, 5), await reserve(world.node, 10)]
    await first.reservation.settle({ tokens: 5 })
    const { fail, recover } = failing(world)
    fail(mayHaveApplied)
    await second.reservation.settle({ tokens: 2 })
    await recover()
    expect((await stored(world)).used_tokens).toBe(used)
  })

  test('include denials, but neither undecided requests nor dry runs', async () => {
    const { world, fail, recover } = await createWorld()
    fail(false)
    expect(await admits(world.node, 1)).toBe(false)
    await recover()
    expect(await admits(world.node, 101, { dryRun: true })).toBe(false)
    await world.node.limiter.flush({ all: true })
    expect(await stored(world)).not.toHaveProperty('denied')
    expect(await admits(world.node, 101)).toBe(false)
    await world.node.limiter.flush({ all: true })
    expect(await stored(world)).toMatchObject({ denied: 1n, denied_tpm: 1n })
    expect(world.node.counts.decisions_denied).toBe(2)
  })

  test('are due by the oldest of them', async () => {
    const world = worldOf(100, 1 / 3600)
    const node = world.join()
    const useAll = async () => {
      const held = await reserveCost(node, { requests: 1 })
      await held.reservation.settle({ requests: 1 })
    }
    await useAll()
    world.clock.advance((9n * SECOND) / 10n)
    await useAll()
    world.clock.advance(SECOND / 10n)
    await node.limiter.flush()
    expect(await stored(world)).toMatchObject({ used_requests: 2n })
  })

  test('are due by the oldest denial among them', async () => {
    const world = worldOf(100, 1 / 3600)
    for (let turn = 0; turn < 2; turn++) {
      expect(await admits(world.node, 101)).toBe(false)
      world.clock.advance(5n * SECOND)
    }
    await world.node.limiter.flush()
    expect(await stored(world)).toMatchObject({ denied: 2n, denied_tpm: 2n })
  })
})
