import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import type { Reservation } from '../../../src/core/decide/decision.ts'
import type { Cost } from '../../../src/core/model/meter.ts'
import { runs } from '../../property-runs.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { createTestWorld, type TestNode, type TestWorld } from '../test-limiter.ts'
import { stored } from '../token-world.ts'
import { acts, createUseLog, mostInAnyWindow, NODES, worstExcess } from '../use-log.ts'

const TTL_NS = 1_000_000_000n

/** Bursts of many acts, close together: the case that leases serve. Waits in ms. */
const bursts = fc.array(
  fc.record({
    waitMs: fc.oneof(fc.nat(300), fc.nat(3000)),
    acts: fc.array(acts, { minLength: 1, maxLength: 12 }),
    /** Nodes whose expired leases are refunded. */
    flushes: fc.nat(2 ** NODES - 1),
  }),
  { minLength: 4, maxLength: 30 },
)

const worldWith = (size: object): TestWorld => {
  const world = createTestWorld({ leaseTtlMs: 1000 })
  world.config.putEntity('key')
  world.config.putLimits(entityOwner('key'), '_default_', parseLimits([{ name: 'tpm', ...size }], 'limits'))
  return world
}

type Bursts = typeof bursts extends fc.Arbitrary<infer T> ? T : never

const play = async (world: TestWorld, limit: number, plan: Bursts) => {
  const nodes = Array.from({ length: NODES }, () => world.join())
  const log = createUseLog(world, limit, nodes, [0.005, 0.01, 0.02, 0.1])
  for (const { waitMs, acts: burst, flushes } of plan) {
    world.clock.advance(BigInt(waitMs) * 1_000_000n)
    await Promise.all(
      nodes.map(async ({ limiter }, at) => ((flushes >> at) & 1 ? limiter.flush() : undefined)),
    )
    await Promise.all(burst.map(log.act))
  }
  return log.uses
}

/** Requests of one node, each settled to `actual` (null: released) some requests later. Amounts may be invalid. */
const settlements = fc.array(
  fc.record({
    waitMs: fc.oneof(fc.nat(20), fc.nat(1500)),
    tokens: fc.nat(40),
    later: fc.nat(5),
    times: fc.integer({ min: 1, max: 2 }),
    actual: fc.option(
      fc.record(
        {
          requests: fc.constantFrom(1, 0, 2),
          tokens: fc.oneof(fc.nat(60), fc.constantFrom(-1, 0.5)),
          input_tokens: fc.nat(30),
        },
        { requiredKeys: [] },
      ),
    ),
  }),
  { minLength: 10, maxLength: 60 },
)

type Settlements = typeof settlements extends fc.Arbitrary<infer T> ? T : never

/** `reads`: whether each reservation is read as data, which makes receipts, before it is settled. */
const settled = async (plan: Settlements, reads: boolean): Promise<unknown> => {
  const world = createTestWorld({ leaseTtlMs: 1000, sharesRefunds: true })
  world.config.putEntity('key')
  world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [400, 10], tpm: [4000, 100] }))
  const due: (() => void | Promise<void>)[][] = []
  for (const [turn, { waitMs, tokens, later, times, actual }] of plan.entries()) {
    world.clock.advance(BigInt(waitMs) * 1_000_000n)
    const held = await reserved(world.node, { requests: 1, tokens })
    if (reads) held?.charges
    const settle = () => (actual === null ? held?.release() : held?.settle(actual))
    due[turn + later] = [...(due[turn + later] ?? []), ...Array(times).fill(settle)]
    for (const end of due[turn] ?? []) await end()
  }
  for (const end of due.slice(plan.length).flat()) await end?.()
  await world.node.limiter.flush({ all: true })
  return { item: await stored(world), writes: world.node.counts.bucket_writes }
}

const reserved = async (node: TestNode, cost: Cost): Promise<Reservation | undefined> => {
  const decision = await node.limiter.decide({ entityId: 'key', cost, settles: true })
  return decision.allowed ? decision.reservation : undefined
}

describe('with leases', () => {
  test.prop([settlements], { numRuns: runs(100) })(
    'a reservation is settled in the same way with receipts and without',
    async (plan) => {
      expect(await settled(plan, false)).toEqual(await settled(plan, true))
    },
  )

  test.prop([fc.integer({ min: 200, max: 5000 }), fc.integer({ min: 1, max: 100 }), bursts], {
    numRuns: runs(150),
  })(
    'a token bucket admits in any span no more than its capacity and its refill in it and in the duration of a lease',
    async (capacity, seconds, plan) => {
      const world = worldWith({ capacity, refill_rate: capacity / seconds })
      const uses = await play(world, capacity, plan)
      const tokenNs = BigInt(Math.ceil((seconds * 1e9) / capacity))
      expect(worstExcess(uses, capacity, tokenNs) <= TTL_NS).toBe(true)
    },
  )

  test.prop([fc.integer({ min: 200, max: 5000 }), fc.constantFrom(5, 20), bursts], { numRuns: runs(150) })(
    'a sliding window holds its limit in any window shorter by the duration of a lease',
    async (limit, seconds, plan) => {
      const world = worldWith({ algorithm: 'sliding_window', limit, window_seconds: seconds, slots: 10 })
      const uses = await play(world, limit, plan)
      const windowNs = BigInt(seconds) * 10n ** 9n - TTL_NS
      expect(mostInAnyWindow(uses, windowNs)).toBeLessThanOrEqual(limit)
    },
  )

  test.prop([fc.integer({ min: 200, max: 5000 }), bursts], { numRuns: runs(100) })(
    'a fixed window never exceeds its limit: leases end with it',
    async (limit, plan) => {
      const world = worldWith({ algorithm: 'fixed_window', limit, window: 'minute' })
      const uses = await play(world, limit, plan)
      const byMinute = new Map<bigint, number>()
      for (const { at, amount } of uses) {
        const minute = at / 60_000_000_000n
        byMinute.set(minute, (byMinute.get(minute) ?? 0) + amount)
      }
      expect(Math.max(0, ...byMinute.values())).toBeLessThanOrEqual(limit)
    },
  )
})
