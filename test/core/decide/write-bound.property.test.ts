import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BucketStore } from '../../../src/core/bucket/bucket-store.ts'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { createTestNode, type TestWorld } from '../test-limiter.ts'
import { admits, stored, worldOf } from '../token-world.ts'

/** What happens right before a write of the node arrives, or to the write itself. */
const EVENTS = ['charge', 'idle', 'reset', 'change', 'throttle', 'lose', 'apply and lose'] as const

type Event = (typeof EVENTS)[number] | 'nothing'

const LIMITS = 3

/** The write loop: one write per limit and two, and one more if a lease did not fit (docs/how-it-works.md). */
const MOST_PER_CHARGE = LIMITS + 3

/** Two attempts, four tries each, and a second round after the leases of the process are refunded. */
const MOST = 2 * 4 * 2 * MOST_PER_CHARGE

/** A node whose writes meet the events that `next` returns; `count()`: writes since the last call. */
const adversary = (leaseTtlMs: number, next: () => Event) => {
  const world = worldOf(100, 1)
  putLimits(world, 100)
  const other = world.join({ configCacheMs: 0 })
  let writes = 0
  const buckets: BucketStore = {
    ...world.buckets,
    async write(id, write) {
      writes++
      const event = next()
      if (event === 'throttle')
        throw new StoreUnavailable('throttled', { mayHaveApplied: false, isThrottled: true })
      if (event === 'lose') throw new StoreUnavailable('lost', { mayHaveApplied: true })
      await interfere(world, other, event, writes)
      const outcome = await world.buckets.write(id, write)
      if (event === 'apply and lose') throw new StoreUnavailable('lost', { mayHaveApplied: true })
      return outcome
    },
  }
  const node = createTestNode({ ...world, buckets, settings: { leaseTtlMs, configCacheMs: 30_000 } })
  const count = (): number => {
    const counted = writes
    writes = 0
    return counted
  }
  return { world, node, count }
}

const putLimits = (world: TestWorld, capacity: number): void =>
  world.config.putLimits(
    entityOwner('key'),
    '_default_',
    limitsOf({ tpm: [capacity, 1], tph: [capacity * 10, 1], rpm: [capacity, 1] }),
  )

const interfere = async (
  world: TestWorld,
  other: ReturnType<TestWorld['join']>,
  event: Event,
  turn: number,
): Promise<void> => {
  if (event === 'charge')
    await other.limiter.decide({
      entityId: 'key',
      cost: { tokens: 1 + (turn % 60), requests: 1 },
      settles: false,
    })
  if (event === 'idle') world.clock.advance(1000n * SECOND)
  if (event === 'reset') await other.limiter.reset('key', { resource: '_default_' })
  if (event === 'change') {
    putLimits(world, 50 + (turn % 100))
    await other.limiter.decide({ entityId: 'key', cost: { tokens: 1, requests: 1 }, settles: false })
  }
}

describe('the writes of one decision on one bucket', () => {
  test('are one if nothing interferes, leased or not', async () => {
    for (const leaseTtlMs of [0, 1000]) {
      const { node, count } = adversary(leaseTtlMs, () => 'nothing')
      expect(await admits(node, 1, { cost: { tokens: 1, requests: 1 } })).toBe(true)
      expect(count()).toBe(1)
    }
  })

  test('are four if all are throttled, and two if every response is lost', async () => {
    const throttled = adversary(0, () => 'throttle')
    await admits(throttled.node, 1)
    expect(throttled.count()).toBe(4)
    const lost = adversary(0, () => 'lose')
    await admits(lost.node, 1)
    expect(lost.count()).toBe(2)
  })

  test('are one per limit and two if the bucket is idle and busy in turn, and then the request is denied', async () => {
    const world = worldOf(100, 1)
    expect(await admits(world.node, 1)).toBe(true)
    const item = await stored(world)
    let writes = 0
    const buckets: BucketStore = {
      ...world.buckets,
      async write() {
        writes++
        const tat = world.clock.now() + (writes % 2 === 0 ? 1n : -1n)
        return { applied: false, item: { ...item, rev: BigInt(writes + 1), tpm_tat: tat } }
      },
    }
    const node = createTestNode({ ...world, buckets })
    expect(await admits(node, 1)).toBe(false)
    expect(node.counts.decisions_contended).toBe(1)
    expect(writes).toBe(3)
  })

  test('are bounded, whatever others do to the bucket meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...EVENTS), { minLength: 4, maxLength: 60 }),
        fc.constantFrom(0, 1000),
        async (events, leaseTtlMs) => {
          let at = 0
          const { node, world, count } = adversary(
            leaseTtlMs,
            () => events[at++ % events.length] ?? 'nothing',
          )
          for (let turn = 0; turn < 8; turn++) {
            await node.limiter.decide({ entityId: 'key', cost: { tokens: 5, requests: 1 }, settles: false })
            expect(count()).toBeLessThanOrEqual(MOST)
            world.clock.advance(SECOND / 100n)
          }
        },
      ),
    )
  })

  test('are at most one per limit and two, if nothing is throttled, lost or changed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom<Event>('charge', 'idle', 'nothing'), { minLength: 4, maxLength: 60 }),
        async (events) => {
          let at = 0
          const { node, count } = adversary(0, () => events[at++ % events.length] ?? 'nothing')
          for (let turn = 0; turn < 8; turn++) {
            await node.limiter.decide({ entityId: 'key', cost: { tokens: 5, requests: 1 }, settles: false })
            expect(count()).toBeLessThanOrEqual(LIMITS + 2)
          }
        },
      ),
    )
  })
})
