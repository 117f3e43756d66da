import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import { runs } from '../../property-runs.ts'
import { entityOwner } from '../test-config.ts'
import { createTestWorld, type TestWorld } from '../test-limiter.ts'
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

describe('with leases', () => {
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
