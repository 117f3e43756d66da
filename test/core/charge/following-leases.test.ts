import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import type { Decision } from '../../../src/core/decide/decision.ts'
import type { LimiterSettings } from '../../../src/core/decide/limiter.ts'
import { createHeldStore, type End, type HeldStore, quiet } from '../held-store.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner } from '../test-config.ts'
import { createTestNode, createTestWorld, type TestNode, type TestWorld } from '../test-limiter.ts'
import { available } from '../token-world.ts'

const MS = 1_000_000n

interface Held {
  readonly world: TestWorld
  readonly buckets: HeldStore
  readonly node: TestNode
}

/** A node whose table responds only when the test releases it. */
const heldWorld = (capacity: number, settings: Partial<LimiterSettings> = {}): Held => {
  const world = createTestWorld()
  world.config.putEntity('key')
  const limits = [{ name: 'tpm', capacity, refill_rate: 0.001 }]
  world.config.putLimits(entityOwner('key'), '_default_', parseLimits(limits, 'limits'))
  const buckets = createHeldStore(world.buckets)
  return {
    world,
    buckets,
    node: createTestNode({ ...world, buckets, settings: { leaseTtlMs: 1000, ...settings } }),
  }
}

const decide = ({ node }: Held): Promise<Decision> =>
  node.limiter.decide({ entityId: 'key', cost: { tokens: 1 }, settles: false })

/** Whether the promise settled without the table. */
const isSettledAtOnce = async (sent: Promise<unknown>): Promise<boolean> => {
  let isDone = false
  void sent.then(() => {
    isDone = true
  })
  await quiet()
  return isDone
}

/** Requests one after the other; nothing is in flight afterwards. */
const warmUp = async (held: Held, requests = 100): Promise<void> => {
  for (let turn = 0; turn < requests; turn++) {
    const sent = decide(held)
    await held.buckets.letAllGo()
    await sent
  }
}

/** The number of consecutive requests that are served before one waits for the table; that one is in flight. */
const servedAtOnce = async (
  held: Held,
): Promise<{ readonly count: number; readonly waiting: Promise<Decision> }> => {
  for (let count = 0; count < 1000; count++) {
    const waiting = decide(held)
    if (!(await isSettledAtOnce(waiting))) return { count, waiting }
  }
  throw new Error('no request waits for the table')
}

const writesOf = ({ node }: Held): number => node.counts.bucket_writes ?? 0

/** The number of requests, of those given, that did not wait for a write and yet started one. */
const followed = async (held: Held, requests: number, everyMs: number): Promise<number> => {
  let begun = 0
  for (let turn = 0; turn < requests; turn++) {
    const before = writesOf(held)
    const sent = decide(held)
    if ((await isSettledAtOnce(sent)) && writesOf(held) > before) begun++
    await held.buckets.letAllGo()
    await sent
    held.world.clock.advance(BigInt(everyMs) * MS)
  }
  return begun
}

describe('a half-spent lease', () => {
  test('is followed by the next, and no request waits for its write', async () => {
    const held = heldWorld(100_000)
    await warmUp(held)
    for (let turn = 0; turn < 1000; turn++) {
      const sent = decide(held)
      expect(await isSettledAtOnce(sent)).toBe(true)
      if (turn % 10 === 9) await held.buckets.letAllGo()
    }
    expect(writesOf(held)).toBeLessThan(120)
  })

  test('keeps serving while the next is charged, which then serves the requests that waited for it', async () => {
    const held = heldWorld(100_000)
    await warmUp(held)
    const { count, waiting } = await servedAtOnce(held)
    expect(count).toBeGreaterThan(10)
    const before = writesOf(held)
    await held.buckets.letAllGo()
    expect((await waiting).allowed).toBe(true)
    expect(writesOf(held)).toBe(before)
  })

  test('holds, together with the next, at most a tenth of what is available', async () => {
    const held = heldWorld(1000)
    for (let spent = 1; spent <= 900; spent++) {
      const sent = decide(held)
      await held.buckets.letAllGo()
      await sent
      const ahead = 1000 - spent - ((await available(held.world)) ?? 0)
      expect(ahead).toBeLessThanOrEqual(Math.ceil((1000 - spent) / 10) + 1)
    }
  })

  test.each<End>(['refused', 'lost', 'applied and lost'])(
    'is not followed if that write is %s',
    async (end) => {
      const held = heldWorld(100_000)
      await warmUp(held)
      const { waiting } = await servedAtOnce(held)
      await held.buckets.letGo(0, end)
      await held.buckets.letAllGo()
      expect((await waiting).allowed).toBe(true)
    },
  )

  test('is followed if at least ten requests come in a quarter of a second and work can run after a response', async () => {
    expect(await followed(heldWorld(100_000), 500, 20)).toBeGreaterThan(20)
    expect(await followed(heldWorld(100_000), 500, 50)).toBe(0)
    expect(await followed(heldWorld(100_000, { useDelayMs: 0 }), 500, 20)).toBe(0)
  })

  test('is refunded with the next one, still in flight, when its process ends', async () => {
    const held = heldWorld(100_000)
    await warmUp(held)
    const before = writesOf(held)
    let sent = 0
    for (; writesOf(held) === before; sent++) expect(await isSettledAtOnce(decide(held))).toBe(true)
    await Promise.all([held.node.limiter.flush({ all: true }), held.buckets.letAllGo()])
    expect(await available(held.world)).toBe(100_000 - 100 - sent)
  })
})

test('a lease is followed before it expires, if there is still demand', async () => {
  const held = heldWorld(100_000)
  const { clock } = held.world
  await warmUp(held, 400)
  clock.advance(SECOND)
  await warmUp(held, 1)
  const before = writesOf(held)
  clock.advance(700n * MS)
  for (let turn = 0; turn < 20; turn++) expect(await isSettledAtOnce(decide(held))).toBe(true)
  expect(writesOf(held)).toBe(before)
  clock.advance(60n * MS)
  expect(await isSettledAtOnce(decide(held))).toBe(true)
  expect(writesOf(held)).toBe(before + 1)
  await held.buckets.letAllGo()
  clock.advance(240n * MS)
  expect(await isSettledAtOnce(decide(held))).toBe(true)
})
