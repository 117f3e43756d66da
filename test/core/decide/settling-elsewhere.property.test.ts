import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import type { Reservation } from '../../../src/core/decide/decision.ts'
import type { Cost } from '../../../src/core/model/meter.ts'
import { runs } from '../../property-runs.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner } from '../test-config.ts'
import type { TestNode, TestWorld } from '../test-limiter.ts'
import { admits, available, reserve, stored, worldOf } from '../token-world.ts'

/** Charges by one node that another settles, with only the stored reservation. */

interface Step {
  readonly reserved: number
  /** Null: released. */
  readonly used: number | null
  readonly waitMs: number
  readonly others: number
}

const steps = fc.array(
  fc.record({
    reserved: fc.integer({ min: 0, max: 60 }),
    used: fc.option(fc.integer({ min: 0, max: 90 })),
    waitMs: fc.integer({ min: 0, max: 90_000 }),
    others: fc.integer({ min: 0, max: 20 }),
  }),
  { minLength: 1, maxLength: 6 },
)

type Settle = (other: TestNode, reservation: Reservation, actual: Cost | null) => Promise<void>

const SIZES = {
  token_bucket: { capacity: 200, refill_rate: 1 },
  sliding_window: { limit: 200, window_seconds: 60 },
  fixed_window: { limit: 200, window: 'minute' },
} as const

type Algorithm = keyof typeof SIZES

/** Reserves for all steps, then settles them in turn. */
const played = async (algorithm: Algorithm, plan: readonly Step[], settle: Settle): Promise<TestWorld> => {
  const world = worldOf(200, 1)
  const limit = { name: 'tpm', algorithm, ...SIZES[algorithm] }
  world.config.putLimits(entityOwner('key'), '_default_', parseLimits([limit], 'limits'))
  const reservations = []
  for (const step of plan) {
    const { limiter } = world.node
    const held = await limiter.decide({ entityId: 'key', cost: { tokens: step.reserved }, settles: true })
    if (held.allowed) reservations.push({ step, reservation: held.reservation })
  }
  const other = world.join()
  for (const { step, reservation } of reservations) {
    world.clock.advance(BigInt(step.waitMs) * 1_000_000n)
    await admits(world.join(), step.others)
    await settle(other, reservation, step.used === null ? null : { tokens: step.used })
  }
  return world
}

describe('a reservation settled by another node', () => {
  const algorithms = fc.constantFrom<Algorithm>('token_bucket', 'sliding_window', 'fixed_window')

  test.prop([algorithms, steps], {
    numRuns: runs(200),
  })('has the same result as on its own node', async (algorithm, plan) => {
    const same = await played(algorithm, plan, async (_, reservation, actual) =>
      actual === null ? reservation.release() : reservation.settle(actual),
    )
    const elsewhere = await played(algorithm, plan, ({ limiter }, { charges }, actual) =>
      limiter.settleCharges(charges, actual),
    )
    for (let later = 0; later < 8; later++) {
      expect(await available(elsewhere)).toBe(await available(same))
      for (const { clock } of [elsewhere, same]) clock.advance(10n * SECOND)
    }
    const { rev: _same, ...left } = await stored(same)
    const { rev: _elsewhere, ...leftElsewhere } = await stored(elsewhere)
    expect(limitIn(leftElsewhere)).toEqual(limitIn(left))
  })

  test('is counted as used once, even if it is used in full', async () => {
    const world = worldOf(100, 1)
    const [{ reservation }, other] = [await reserve(world.node, 40), world.join()]
    await other.limiter.settleCharges(reservation.charges, {})
    await other.limiter.flush({ all: true })
    expect(await stored(world)).toMatchObject({ used_tokens: 40n })
    expect(await available(world)).toBe(60)
  })

  test("is refunded no more than it charged, if that node's clock is behind", async () => {
    const world = worldOf(100, 1)
    expect(await admits(world.node, 50)).toBe(true)
    const { reservation } = await reserve(world.node, 30)
    world.clock.step(-3n * SECOND)
    await world.join().limiter.settleCharges(reservation.charges, null)
    world.clock.step(3n * SECOND)
    expect(await available(world)).toBe(50)
  })

  test('is refunded what has not refilled, by the wall clock and not by that node’s monotonic clock', async () => {
    const world = worldOf(100, 1)
    const { reservation } = await reserve(world.node, 30)
    world.clock.advance(20n * SECOND)
    await world.join().limiter.settleCharges(reservation.charges, null)
    expect(await stored(world)).toMatchObject({ tpm_refunded: 10n * SECOND })
  })
})

/** Without marks: a node with a newer state removes more of the expired ones. */
const limitIn = (item: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(item).filter(([name]) => /^tpm_(?!marks)/.test(name)))
