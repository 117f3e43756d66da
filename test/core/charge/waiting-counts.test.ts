import { describe, expect, test } from 'vitest'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import { SECOND } from '../test-clock.ts'
import type { TestWorld } from '../test-limiter.ts'
import { admits, reserve, reserveCost, stored, worldOf } from '../token-world.ts'

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
