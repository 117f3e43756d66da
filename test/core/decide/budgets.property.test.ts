import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import type { Reservation } from '../../../src/core/decide/decision.ts'
import {
  highestPriceOf,
  type PricedEstimate,
  type PricedUse,
  type Prices,
  priceOf,
} from '../../../src/core/model/prices.ts'
import { DAY_NS, SECOND_NS } from '../../../src/core/model/time.ts'
import { runs } from '../../property-runs.ts'
import { createInterleavedStore } from '../interleaved-store.ts'
import { CACHE_WRITES, pricesOfModels, usesWithin } from '../model/priced-uses.ts'
import { entityOwner } from '../test-config.ts'
import { createTestNode, createTestWorld } from '../test-limiter.ts'

const NODES = 3

const KEYS = ['key-0', 'key-1'] as const

interface Call {
  readonly node: number
  readonly key: (typeof KEYS)[number]
  readonly estimate: PricedEstimate
  readonly use: PricedUse
  /** After how many rounds it is settled; null: never. */
  readonly rounds: number | null
}

interface Round {
  /** Before it, in seconds. */
  readonly wait: number
  readonly calls: readonly Call[]
}

const estimates = fc.record({
  input: fc.nat({ max: 3000 }),
  output: fc.nat({ max: 2000 }),
  images: fc.constantFrom(0, 0, 2),
  audioSeconds: fc.constantFrom(0, 0, 30),
  cacheWrites: fc.constantFrom(...CACHE_WRITES),
  tiers: fc.subarray(['standard', 'flex', 'priority'] as const, { minLength: 1 }),
})

const call: fc.Arbitrary<Call> = estimates.chain((estimate) =>
  fc.record({
    node: fc.nat({ max: NODES - 1 }),
    key: fc.constantFrom(...KEYS),
    estimate: fc.constant(estimate),
    use: usesWithin(estimate),
    rounds: fc.option(fc.nat({ max: 3 })),
  }),
)

const rounds: fc.Arbitrary<readonly Round[]> = fc.array(
  fc.record({
    wait: fc.constantFrom(0, 0, 1, 57, 3597, 40_000),
    calls: fc.array(call, { minLength: 1, maxLength: 12 }),
  }),
  { minLength: 1, maxLength: 8 },
)

/** Turns of the event loop that calls to the table take. */
const delays = fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 20 })

interface Spent {
  readonly at: bigint
  readonly key: string
  readonly reserved: number
  readonly spent: number
}

interface Team {
  readonly own: object
  readonly shared: object | undefined
}

/** Several nodes admit calls at once, and settle each to what it used; every call that was admitted. */
const play = async (
  prices: Prices,
  plan: readonly Round[],
  turns: readonly number[],
  { own, shared }: Team,
): Promise<readonly Spent[]> => {
  const world = createTestWorld()
  let calls = 0
  const next = () => turns[calls++ % turns.length] ?? 0
  const buckets = createInterleavedStore(world.buckets, () => ({
    there: next(),
    back: next(),
    end: 'delivered',
  }))
  const budget = (size: object) =>
    parseLimits([{ name: 'usd', meter: 'cost_usd_micros', algorithm: 'fixed_window', ...size }], 'limits')
  world.config.putEntity('team')
  if (shared !== undefined) world.config.putLimits(entityOwner('team'), '_default_', budget(shared))
  for (const key of KEYS) {
    world.config.putEntity(key, { parentId: 'team' })
    world.config.putLimits(entityOwner(key), '_default_', budget(own))
  }
  const { config, clock } = world
  const nodes = Array.from({ length: NODES }, () => createTestNode({ buckets, config, clock }))
  const admitted: Spent[] = []
  const open: { readonly reservation: Reservation; readonly round: number; readonly micros: number }[] = []

  const send = async ({ node, key, estimate, use, rounds }: Call, round: number): Promise<void> => {
    const reserved = highestPriceOf(prices, estimate)
    const micros = priceOf(prices, use)
    const cost = { requests: 1, cost_usd_micros: reserved }
    const decision = await nodes[node]?.limiter.decide({ entityId: key, cost, settles: true })
    if (!decision?.allowed) return
    admitted.push({ at: clock.now(), key, reserved, spent: rounds === null ? reserved : micros })
    if (rounds !== null) open.push({ reservation: decision.reservation, round: round + rounds, micros })
  }
  for (const [round, { wait, calls: sent }] of plan.entries()) {
    clock.advance(BigInt(wait) * SECOND_NS)
    const due = open.filter((each) => each.round === round)
    await Promise.all([
      ...sent.map((each) => send(each, round)),
      ...due.map(({ reservation, micros }) => reservation.settle({ cost_usd_micros: micros })),
    ])
  }
  return admitted
}

const spentIn = (calls: readonly Spent[]): number => calls.reduce((sum, { spent }) => sum + spent, 0)

const budgets = fc.constantFrom(1000, 10_000, 100_000)

describe('a budget', () => {
  test.prop([pricesOfModels, rounds, delays, budgets, budgets], { numRuns: runs(150) })(
    'per day, of keys and of their team, is never overspent by concurrent calls on several nodes',
    async (prices, plan, turns, team, own) => {
      const limits = { own: { limit: own, window: 'day' }, shared: { limit: team, window: 'day' } }
      const admitted = await play(prices, plan, turns, limits)
      const days = new Set(admitted.map(({ at }) => at / DAY_NS))
      for (const day of days) {
        const calls = admitted.filter(({ at }) => at / DAY_NS === day)
        expect(spentIn(calls)).toBeLessThanOrEqual(team)
        for (const key of KEYS)
          expect(spentIn(calls.filter((each) => each.key === key))).toBeLessThanOrEqual(own)
      }
    },
  )

  test.prop([pricesOfModels, rounds, delays, budgets, fc.constantFrom(60, 3600, 50_000)], {
    numRuns: runs(150),
  })(
    'of a run, which begins with its first call, is never overspent',
    async (prices, plan, turns, limit, window_seconds) => {
      const own = { limit, window: 'first_use', window_seconds }
      const admitted = await play(prices, plan, turns, { own, shared: undefined })
      for (const key of KEYS) {
        const calls = admitted.filter((each) => each.key === key)
        for (const run of runsOf(calls, BigInt(window_seconds) * SECOND_NS))
          expect(spentIn(run)).toBeLessThanOrEqual(limit)
      }
    },
  )
})

/** Each run begins with the first call that reserves something after the end of the run before. */
const runsOf = (calls: readonly Spent[], lengthNs: bigint): readonly (readonly Spent[])[] => {
  const found: Spent[][] = []
  let endsAt = 0n
  for (const each of calls) {
    if (each.at >= endsAt && each.reserved > 0) {
      found.push([])
      endsAt = each.at + lengthNs
    }
    found.at(-1)?.push(each)
  }
  return found
}
