import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import type { Decision } from '../../../src/core/decide/decision.ts'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import type { Cost } from '../../../src/core/model/meter.ts'
import { createInterleavedStore } from '../interleaved-store.ts'
import { entityOwner } from '../test-config.ts'
import { createTestNode, createTestWorld, type TestNode } from '../test-limiter.ts'

const far = { there: 3, back: 3, end: 'delivered' } as const

/** A node whose table takes several turns of the event loop to respond. */
const start = (...limits: readonly object[]) => {
  const world = createTestWorld()
  world.config.putEntity('key')
  world.config.putLimits(entityOwner('key'), '_default_', parseLimits(limits, 'limits'))
  const join = (): TestNode =>
    createTestNode({ ...world, buckets: createInterleavedStore(world.buckets, () => far) })
  return { world, join, node: join() }
}

const decideAll = ({ limiter }: TestNode, costs: readonly Cost[]): Promise<readonly Decision[]> =>
  Promise.all(costs.map((cost) => limiter.decide({ entityId: 'key', cost, settles: false })))

const tokens = (...amounts: readonly number[]): readonly Cost[] =>
  amounts.map((amount) => ({ tokens: amount }))

const allowed = (decisions: readonly Decision[]): readonly boolean[] => decisions.map((each) => each.allowed)

describe('concurrent requests', () => {
  const tpm = { name: 'tpm', capacity: 10, refill_rate: 0.001 }

  test('share a write', async () => {
    const { node, world } = start({ ...tpm, capacity: 1000 })
    expect(allowed(await decideAll(node, tokens(...Array<number>(100).fill(1)))).every(Boolean)).toBe(true)
    expect(node.counts.bucket_writes).toBe(2)
    const { limits } = await world.join().limiter.status('key', '_default_')
    expect(limits[0]?.used).toBe(100)
  })

  test('are admitted in order of arrival, as many as fit', async () => {
    const { node } = start(tpm)
    expect(allowed(await decideAll(node, tokens(...Array<number>(30).fill(1))))).toEqual(
      Array.from({ length: 30 }, (_, index) => index < 10),
    )
    expect(node.counts.bucket_writes).toBeLessThanOrEqual(4)
  })

  test('are overtaken by later ones that still fit', async () => {
    const { node } = start(tpm)
    expect(allowed(await decideAll(node, tokens(1, 8, 4, 1, 3)))).toEqual([true, true, false, true, false])
  })

  test('are denied with the state that denied them, each with its own wait', async () => {
    const { node } = start({ ...tpm, refill_rate: 1 })
    const [, , small, large] = await decideAll(node, tokens(5, 5, 1, 4))
    expect(small).toMatchObject({ allowed: false, retryAfterNs: 1_000_000_000n })
    expect(large).toMatchObject({ allowed: false, retryAfterNs: 4_000_000_000n })
  })

  test('are never charged together beyond what the limit can hold', async () => {
    const { node } = start(tpm)
    expect(allowed(await decideAll(node, tokens(6, 6, 4)))).toEqual([true, false, true])
  })

  test('charge nothing to one limit if another denies', async () => {
    const { node, world } = start(tpm, {
      name: 'rpm',
      algorithm: 'sliding_window',
      limit: 4,
      window_seconds: 60,
    })
    const costs = [2, 2, 9, 1, 1, 1].map((amount) => ({ requests: 1, tokens: amount }))
    expect(allowed(await decideAll(node, costs))).toEqual([true, true, false, true, true, false])
    const { limits } = await world.join().limiter.status('key', '_default_')
    expect(limits.map(({ used }) => used)).toEqual([6, 4])
  })

  test('are each rejected if the store fails, and later ones are served', async () => {
    const { world } = start(tpm)
    let calls = 0
    const node = createTestNode({
      ...world,
      buckets: {
        ...world.buckets,
        async write(id, write) {
          await Promise.resolve()
          if (++calls <= 2) throw new StoreUnavailable('away', { mayHaveApplied: false })
          return world.buckets.write(id, write)
        },
      },
      settings: { storeDeadlineMs: 0, onUnavailable: 'deny' },
    })
    const decisions = await decideAll(node, tokens(1, 1, 1))
    expect(decisions.map((each) => !each.allowed && each.unavailable)).toEqual([true, true, true])
    expect(allowed(await decideAll(node, tokens(1, 1)))).toEqual([true, true])
  })

  test('return the state as of their charge, which may wait for another', async () => {
    const { world } = start({ ...tpm, refill_rate: 1 })
    const node = createTestNode({
      ...world,
      buckets: {
        ...world.buckets,
        async write(id, write) {
          const outcome = await world.buckets.write(id, write)
          world.clock.advance(10_000_000n)
          return outcome
        },
      },
    })
    const [first, second] = await decideAll(node, tokens(4, 5))
    expect(first?.limits[0]).toMatchObject({ available: 6, resetNs: 4_000_000_000n })
    expect(second?.limits[0]).toMatchObject({ available: 1, resetNs: 8_990_000_000n })
  })

  test('count what each of them used', async () => {
    const { node, world } = start({ ...tpm, capacity: 1000 })
    await decideAll(node, tokens(...Array<number>(40).fill(2)))
    await node.limiter.flush({ all: true })
    expect((await world.join().limiter.status('key', '_default_')).used.tokens).toBe(80)
  })
})
