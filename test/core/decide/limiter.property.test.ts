import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import type { Decision } from '../../../src/core/decide/decision.ts'
import type { Cost } from '../../../src/core/model/meter.ts'
import { larger, smaller } from '../../../src/core/model/time.ts'
import { runs } from '../../property-runs.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { createTestWorld, type TestNode, type TestWorld } from '../test-limiter.ts'
import { createUseLog, moments, NODES, worstExcess } from '../use-log.ts'

const MS = 1_000_000n

const sizes = fc.record({
  capacity: fc.integer({ min: 1, max: 200 }),
  seconds: fc.integer({ min: 1, max: 200 }),
})

/** Rounding must not hide an exceeded limit. */
const roomy = fc.record({
  capacity: fc.integer({ min: 20, max: 1000 }),
  seconds: fc.integer({ min: 1, max: 200 }),
})

const worldWith = (capacity: number, seconds: number): TestWorld => {
  const world = createTestWorld()
  world.config.putEntity('key')
  world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ tpm: [capacity, capacity / seconds] }))
  return world
}

const tokenNsOf = (capacity: number, seconds: number): bigint => BigInt(Math.ceil((seconds * 1e9) / capacity))

const decide = ({ limiter }: TestNode, cost: Cost): Promise<Decision> =>
  limiter.decide({ entityId: 'key', cost, settles: false })

const waitOf = (decision: Decision): bigint | null => (decision.allowed ? 0n : decision.retryAfterNs)

describe('the limiter', () => {
  test.prop([roomy, moments], { numRuns: runs(500) })(
    'never admits more in any span than the capacity and its refill, under any settlements',
    async ({ capacity, seconds }, plan) => {
      const world = worldWith(capacity, seconds)
      const log = createUseLog(world, capacity)
      for (const { wait, acts } of plan) {
        world.clock.advance(BigInt(Math.floor(wait * seconds * 1e9)))
        await Promise.all(acts.map(log.act))
      }
      expect(worstExcess(log.uses, capacity, tokenNsOf(capacity, seconds))).toBe(0n)
    },
  )

  test.prop([roomy, moments, fc.array(fc.boolean(), { minLength: 40, maxLength: 40 })], {
    numRuns: runs(100),
  })(
    'never admits more in any span if it is paused at times, and nothing while it is paused',
    async ({ capacity, seconds }, plan, pauses) => {
      const world = createTestWorld({ configCacheMs: 0 })
      world.config.putEntity('key')
      const log = createUseLog(world, capacity)
      for (const [index, { wait, acts }] of plan.entries()) {
        const isPaused = pauses[index] ?? false
        const size = isPaused ? ([0, 0] as const) : ([capacity, capacity / seconds] as const)
        world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ tpm: size }))
        world.clock.advance(BigInt(Math.floor(wait * seconds * 1e9)) + 1n)
        const before = log.uses.length
        await Promise.all(acts.map(log.act))
        if (isPaused) expect(log.uses.length).toBe(before)
      }
      expect(worstExcess(log.uses, capacity, tokenNsOf(capacity, seconds))).toBe(0n)
    },
  )

  const count = fc.array(
    fc.record({ waitMs: fc.nat(20_000), cost: fc.integer({ min: 1, max: 220 }), node: fc.nat(NODES - 1) }),
  )

  test.prop([sizes, count], { numRuns: runs(100) })(
    'allows exactly what a bucket refilled token by token allows, and returns when a denied request would pass',
    async ({ capacity, seconds }, plan) => {
      const world = worldWith(capacity, seconds)
      const nodes = Array.from({ length: NODES }, () => world.join())
      const tokenNs = tokenNsOf(capacity, seconds)
      const full = BigInt(capacity) * tokenNs
      let content = full
      for (const { waitMs, cost, node } of plan) {
        world.clock.advance(BigInt(waitMs) * MS)
        content = smaller(full, content + BigInt(waitMs) * MS)
        const price = BigInt(cost) * tokenNs
        const decision = await decide(nodes[node] ?? world.node, { tokens: cost })
        const wait = waitOf(decision)
        expect(wait).toBe(price > full ? null : larger(0n, price - content))
        if (decision.allowed) content -= price
      }
    },
  )

  const pair = fc.record({ rpm: fc.integer({ min: 1, max: 6 }), tpm: fc.integer({ min: 1, max: 60 }) })
  const family = fc.record({
    own: pair,
    parent: pair,
    requests: fc.array(
      fc.record({ waitMs: fc.nat(5000), tokens: fc.integer({ min: 0, max: 80 }), node: fc.nat(NODES - 1) }),
    ),
  })

  test.prop([family], { numRuns: runs(100) })(
    'charges nothing anywhere for a request that is denied anywhere',
    async ({ own, parent, requests: plan }) => {
      const world = createTestWorld()
      world.config.putEntity('project')
      world.config.putEntity('key', { parentId: 'project' })
      world.config.putLimits(
        entityOwner('project'),
        '_default_',
        limitsOf({ rpm: [parent.rpm, 1], tpm: [parent.tpm, 10] }),
      )
      world.config.putLimits(
        entityOwner('key'),
        '_default_',
        limitsOf({ rpm: [own.rpm, 1], tpm: [own.tpm, 10] }),
      )
      const nodes = Array.from({ length: NODES }, () => world.join())
      for (const { waitMs, tokens, node } of plan) {
        world.clock.advance(BigInt(waitMs) * MS)
        const before = await levels(world)
        const cost = { requests: 1, tokens }
        const decision = await (nodes[node] ?? world.node).limiter.decide({
          entityId: 'key',
          cost,
          settles: true,
        })
        const taken = decision.allowed ? [1, tokens, 1, tokens] : [0, 0, 0, 0]
        expect(await levels(world)).toEqual(before.map((left, index) => left - (taken[index] ?? 0)))
        expect(decision.allowed).toBe(
          before.every((left, index) => left >= ([1, tokens, 1, tokens][index] ?? 0)),
        )
      }
    },
  )

  test.prop([fc.integer({ min: 2, max: 40 }), fc.nat(1000)], { numRuns: runs(100) })(
    'refunds everything to the parent when many requests are denied at once',
    async (callers, waitMs) => {
      const world = createTestWorld()
      world.config.putEntity('project')
      world.config.putEntity('key', { parentId: 'project' })
      world.config.putLimits(entityOwner('project'), '_default_', limitsOf({ rpm: [100, 100 / 60] }))
      world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [1, 1 / 3600] }))
      const decideOne = () => decide(world.node, { requests: 1 })
      expect((await decideOne()).allowed).toBe(true)
      world.clock.advance(BigInt(waitMs) * MS)
      const before = await levels(world)
      const decisions = await Promise.all(Array.from({ length: callers }, decideOne))
      expect(decisions.some(({ allowed }) => allowed)).toBe(false)
      expect(await levels(world)).toEqual(before)
    },
  )
})

/** The available amounts of parent and key, in the order of their limits. */
const levels = async (world: TestWorld): Promise<readonly number[]> => {
  const fresh = world.join().limiter
  const statuses = await Promise.all(['project', 'key'].map((id) => fresh.status(id, '_default_')))
  return statuses.flatMap(({ limits }) => limits.map(({ available }) => available))
}
