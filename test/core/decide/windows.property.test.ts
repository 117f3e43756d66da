import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import { calendarWindow } from '../../../src/core/model/calendar.ts'
import { runs } from '../../property-runs.ts'
import { entityOwner } from '../test-config.ts'
import { createTestWorld, nodeOff, type TestWorld } from '../test-limiter.ts'
import { createUseLog, moments, mostInAnyWindow, NODES } from '../use-log.ts'

const limits = fc.integer({ min: 20, max: 1000 })

const slots = fc.constantFrom(2, 7, 30, 60)

const worldWith = (size: object): TestWorld => {
  const world = createTestWorld()
  world.config.putEntity('key')
  world.config.putLimits(entityOwner('key'), '_default_', parseLimits([{ name: 'tpm', ...size }], 'limits'))
  return world
}

const sliding = (limit: number, window_seconds: number, count: number): TestWorld =>
  worldWith({ algorithm: 'sliding_window', limit, window_seconds, slots: count })

/** Waits are parts of `windowSeconds`. */
const play = async (
  world: TestWorld,
  log: ReturnType<typeof createUseLog>,
  plan: typeof moments extends fc.Arbitrary<infer T> ? T : never,
  windowSeconds: number,
): Promise<void> => {
  for (const { wait, acts } of plan) {
    world.clock.advance(BigInt(Math.floor(wait * windowSeconds * 1e9)))
    await Promise.all(acts.map(log.act))
  }
}

describe('a sliding window', () => {
  test.prop([limits, fc.constantFrom(10, 60, 3600), slots, moments], { numRuns: runs(120) })(
    'never admits more in any true window than the limit, under any settlements',
    async (limit, seconds, count, plan) => {
      const world = sliding(limit, seconds, count)
      const log = createUseLog(world, limit)
      await play(world, log, plan, seconds)
      expect(mostInAnyWindow(log.uses, BigInt(seconds) * 10n ** 9n)).toBeLessThanOrEqual(limit)
    },
  )

  const offsets = fc.array(fc.constantFrom(0, -5, -2.5, 1, 5), { minLength: NODES, maxLength: NODES })

  test.prop([limits, fc.constantFrom(60, 3600), slots, offsets, moments], { numRuns: runs(120) })(
    'is exceeded by no more than the clock difference: the limit holds in any window shorter by that',
    async (limit, seconds, count, offs, plan) => {
      const world = sliding(limit, seconds, count)
      const log = createUseLog(
        world,
        limit,
        offs.map((off) => nodeOff(world, off)),
      )
      await play(world, log, plan, seconds)
      // the node that drains has an exact clock
      const difference = Math.max(0, ...offs) - Math.min(0, ...offs)
      const windowNs = BigInt((seconds - difference) * 1e9)
      expect(mostInAnyWindow(log.uses, windowNs)).toBeLessThanOrEqual(limit)
    },
  )

  test.prop([fc.integer({ min: 60, max: 240 }), slots, fc.integer({ min: 1, max: 4 })], { numRuns: runs(6) })(
    'admits at saturation all but one of slots + 1 slots',
    async (limit, count, perSecond) => {
      const world = sliding(limit, 60, count)
      const decide = () => world.node.limiter.decide({ entityId: 'key', cost: { tokens: 1 }, settles: false })
      let admitted = 0
      const seconds = 300
      for (let tick = 0; tick < seconds; tick++) {
        const count = Array.from({ length: Math.ceil(limit / 60) * perSecond + 1 }, decide)
        for (const { allowed } of await Promise.all(count)) if (allowed) admitted++
        world.clock.advance(10n ** 9n)
      }
      const share = admitted / ((limit * seconds) / 60)
      expect(share).toBeGreaterThan(count / (count + 1) - 0.01)
    },
  )
})

describe('a fixed window', () => {
  const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kathmandu')

  test.prop([limits, fc.constantFrom('minute' as const, 'hour', 'day'), zones, moments], {
    numRuns: runs(80),
  })(
    'never lets more be used in any window of its calendar than the limit',
    async (limit, window, time_zone, plan) => {
      const world = worldWith({ algorithm: 'fixed_window', limit, window, time_zone })
      const log = createUseLog(world, limit)
      await play(world, log, plan, { minute: 60, hour: 3600, day: 86_400 }[window])
      const used = new Map<bigint, number>()
      for (const { at, amount } of log.uses) {
        const { start } = calendarWindow(window, time_zone, at)
        used.set(start, (used.get(start) ?? 0) + amount)
      }
      expect(Math.max(0, ...used.values())).toBeLessThanOrEqual(limit)
    },
  )
})

describe('a window from its first use on', () => {
  /** The uses of each window: one begins with the first use after the end of the one before. */
  const mostInOneWindow = (uses: readonly { readonly at: bigint; readonly amount: number }[], ns: bigint) => {
    let [start, used, most] = [-ns, 0, 0]
    for (const { at, amount } of uses.toSorted((a, b) => Number(a.at - b.at))) {
      if (amount === 0) continue
      if (at >= start + ns) [start, used] = [at, 0]
      used += amount
      most = Math.max(most, used)
    }
    return most
  }

  test.prop([limits, fc.constantFrom(10, 3600, 86_400), moments], { numRuns: runs(80) })(
    'never lets more be used in one of them than the limit, and in any span of its length than twice that',
    async (limit, window_seconds, plan) => {
      const world = worldWith({ algorithm: 'fixed_window', limit, window: 'first_use', window_seconds })
      const log = createUseLog(world, limit)
      await play(world, log, plan, window_seconds)
      const windowNs = BigInt(window_seconds) * 10n ** 9n
      expect(mostInAnyWindow(log.uses, windowNs)).toBeLessThanOrEqual(2 * limit)
      if (log.uses.every(({ amount }) => amount > 0))
        expect(mostInOneWindow(log.uses, windowNs)).toBeLessThanOrEqual(limit)
    },
  )
})
