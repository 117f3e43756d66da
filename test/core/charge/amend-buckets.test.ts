import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { admits, available, reserve, stored, worldOf } from '../token-world.ts'

describe('a reset', () => {
  test('begins a generation with full limits and counters at 0, each later than the last', async () => {
    const world = worldOf(10, 1 / 3600)
    expect(await admits(world.node, 10)).toBe(true)
    expect(await admits(world.node, 1)).toBe(false)
    await world.node.limiter.flush({ all: true })
    for (let generation = 1n; generation <= 2n; generation++) {
      await world.node.limiter.reset('key', {})
      const born = world.clock.now() + generation
      expect(await stored(world)).toMatchObject({ born, used_tokens: 0n, denied: 0n, denied_tpm: 0n })
      expect(await available(world)).toBe(10)
    }
  })

  test('of one limit leaves the others unchanged', async () => {
    const world = worldOf(10, 1 / 3600)
    world.config.putLimits(
      entityOwner('key'),
      '_default_',
      limitsOf({ tpm: [10, 1 / 3600], rpm: [5, 1 / 3600] }),
    )
    const request = { entityId: 'key', cost: { requests: 1, tokens: 4 }, settles: false }
    expect((await world.node.limiter.decide(request)).allowed).toBe(true)
    await world.node.limiter.reset('key', { limitName: 'tpm' })
    const { limits } = await world.join().limiter.status('key', '_default_')
    expect(limits.map((limit) => limit.available)).toEqual([10, 4])
  })

  test('also resets a limit whose name has the prefix of a counter', async () => {
    const world = worldOf(10, 1 / 3600)
    const name = 'deniedlogins'
    const limit = { name, meter: 'tokens', capacity: 10, refill_rate: 1 / 3600 }
    world.config.putLimits(entityOwner('key'), '_default_', parseLimits([limit], 'limits'))
    expect(await admits(world.node, 10)).toBe(true)
    expect(await admits(world.node, 1)).toBe(false)
    await world.node.limiter.flush({ all: true })
    await world.node.limiter.reset('key', {})
    expect(await stored(world)).toMatchObject({ denied: 0n, [`denied_${name}`]: 0n })
    expect(await admits(world.node, 10)).toBe(true)
  })

  test('applies to the bucket that requests for the resource use', async () => {
    const world = worldOf(10, 1 / 3600)
    expect(await admits(world.node, 10, { resource: 'invented' })).toBe(true)
    await world.node.limiter.reset('key', { resource: 'another-name' })
    expect(await admits(world.node, 10, { resource: 'invented' })).toBe(true)
  })

  test('of all buckets applies to each of them', async () => {
    const world = worldOf(10, 1 / 3600)
    for (const resource of ['_default_', '_other_'])
      expect(await admits(world.node, 10, { resource })).toBe(true)
    await world.node.limiter.reset('key', {})
    for (const resource of ['_default_', '_other_'])
      expect(await admits(world.node, 10, { resource })).toBe(true)
  })

  test('is not found for an unknown entity, nor is a top-up', async () => {
    const { limiter } = worldOf(10, 1).node
    await expect(limiter.reset('nobody', {})).rejects.toMatchObject({ code: 'not_found' })
    await expect(limiter.topUp('nobody', {})).rejects.toMatchObject({ code: 'not_found' })
  })

  test('is repeated during concurrent writes, and fails if they continue', async () => {
    const world = worldOf(10, 1 / 3600)
    expect(await admits(world.node, 10)).toBe(true)
    let others = 3
    const { write } = world.buckets
    world.buckets.write = async (id, wanted) => {
      if (others-- > 0)
        await write(id, { conditions: [], actions: [{ does: 'add', path: 'rev', value: 1n }] })
      return write(id, wanted)
    }
    await world.node.limiter.reset('key', {})
    expect(await available(world)).toBe(10)
    others = 1000
    await expect(world.node.limiter.reset('key', {})).rejects.toMatchObject({ code: 'conflict' })
  })
})

describe('a top-up', () => {
  test('adds the requested amount, and never more than is used', async () => {
    const world = worldOf(100, 1 / 3600)
    expect(await admits(world.node, 60)).toBe(true)
    await world.node.limiter.topUp('key', { amount: 20 })
    expect(await available(world)).toBe(60)
    await world.node.limiter.topUp('key', { amount: 1000 })
    expect(await available(world)).toBe(100)
    expect((await stored(world)).tpm_refunded).toBe(60n * 3600n * SECOND)
    expect(await admits(world.node, 100)).toBe(true)
    expect(await admits(world.node, 1)).toBe(false)
  })

  test('pays debt if no amount is given', async () => {
    const world = worldOf(100, 1 / 3600)
    const held = await reserve(world.node, 1)
    await held.reservation.settle({ tokens: 1000 })
    await world.node.limiter.topUp('key', {})
    expect(await available(world)).toBe(100)
  })

  test('applies to one limit if one is named, and does not touch an unused bucket', async () => {
    const world = worldOf(100, 1 / 3600)
    await world.node.limiter.topUp('key', {})
    expect(await world.buckets.read(entityBucket('key', '_default_'))).toBeUndefined()
    expect(await admits(world.node, 60)).toBe(true)
    await world.node.limiter.topUp('key', { limitName: 'rpm' })
    expect(await available(world)).toBe(40)
    await world.node.limiter.topUp('key', { limitName: 'tpm', amount: 10 })
    expect(await available(world)).toBe(50)
  })

  test('adds tokens of the current limit, even if it changes at the same moment', async () => {
    const world = worldOf(100, 1 / 3600)
    expect(await admits(world.node, 60)).toBe(true)
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ tpm: [100, 10 / 3600] }))
    const other = world.join()
    const { write } = world.buckets
    world.buckets.write = async (id, wanted) => {
      world.buckets.write = write
      expect(await admits(other, 1)).toBe(true)
      return write(id, wanted)
    }
    await world.node.limiter.topUp('key', { amount: 10 })
    expect(await available(world)).toBe(49)
  })
})
