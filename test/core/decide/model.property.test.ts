import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import type { Reservation } from '../../../src/core/decide/decision.ts'
import type { Limit } from '../../../src/core/model/limit.ts'
import { runs } from '../../property-runs.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner } from '../test-config.ts'
import { createTestWorld, type TestNode, type TestWorld } from '../test-limiter.ts'
import { createReferenceLimiter, type Event, type ReferenceLimiter } from './reference-limiter.ts'

/** A token bucket, a sliding window and a calendar window in one bucket. */
const limitsWith = (perHour: number, perDay = 400): readonly Limit[] =>
  parseLimits(
    [
      { name: 'rpm', capacity: 6, refill_rate: 0.25 },
      { name: 'tph', algorithm: 'sliding_window', limit: perHour, window_seconds: 3600, slots: 12 },
      { name: 'tpd', algorithm: 'fixed_window', limit: perDay, window: 'day' },
    ],
    'limits',
  )

interface Model {
  readonly reference: ReferenceLimiter
  readonly open: Event[]
}

interface Real {
  readonly world: TestWorld
  readonly nodes: TestNode[]
  readonly open: Reservation[]
}

type Command = fc.AsyncCommand<Model, Real>

const command = (
  name: string,
  run: (model: Model, real: Real) => Promise<void>,
  isReady: (model: Readonly<Model>) => boolean = () => true,
): Command => ({ check: isReady, run, toString: () => name })

const asking = fc.record({ node: fc.nat(2), tokens: fc.nat(60) }).map(({ node, tokens }) =>
  command(`ask node ${node} for ${tokens}`, async ({ reference, open }, real) => {
    const cost = { requests: 1, tokens }
    const now = real.world.clock.now()
    const limiter = real.nodes[node]?.limiter ?? expect.fail('no such node')
    const decision = await limiter.decide({ entityId: 'key', cost, settles: true })
    expect(decision.allowed).toBe(reference.admits(cost, now))
    if (!decision.allowed) return
    open.push(reference.record(cost, now))
    real.open.push(decision.reservation)
  }),
)

const settling = fc.record({ pick: fc.nat(100), tokens: fc.nat(80) }).map(({ pick, tokens }) =>
  command(
    `settle ${pick} to ${tokens}`,
    async ({ reference, open }, real) => {
      const at = pick % open.length
      const [event] = open.splice(at, 1)
      const [reservation] = real.open.splice(at, 1)
      await reservation?.settle({ tokens })
      if (event) reference.settle(event, { requests: 1, tokens }, real.world.clock.now())
    },
    ({ open }) => open.length > 0,
  ),
)

const waiting = fc
  .oneof(fc.nat(20), fc.nat(900), fc.constantFrom(3600, 3900, 20 * 3600))
  .map((seconds) =>
    command(`wait ${seconds} s`, async (_, { world }) => world.clock.advance(BigInt(seconds) * SECOND)),
  )

const bucket = entityBucket('key', '_default_')

const changing: fc.Arbitrary<Command> = fc.oneof(
  fc.constant(
    command('reset', async ({ reference }, { world }) => {
      if ((await world.buckets.read(bucket)) === undefined) return
      await world.join().limiter.reset('key', {})
      reference.reset()
    }),
  ),
  fc.constant(
    command('the item is deleted', async ({ reference }, { world }) => {
      // two generations never begin at the same moment, and resets advance by one nanosecond each
      world.clock.advance(1000n)
      world.buckets.expire(bucket)
      reference.reset()
    }),
  ),
  fc.nat(2).map((node) =>
    command(`restart node ${node}`, async (_, { world, nodes }) => {
      nodes[node] = world.join()
    }),
  ),
  fc.constantFrom([100], [150], [200], [0], [150, 0]).map(([perHour = 0, perDay]) =>
    command(`resize to ${perHour} an hour, ${perDay ?? 400} a day`, async ({ reference }, { world }) => {
      const limits = limitsWith(perHour, perDay)
      // a read at this same moment has not expired
      world.clock.advance(1n)
      world.config.putLimits(entityOwner('key'), '_default_', limits)
      reference.resize(limits)
      // a bucket is carried over by the next decision on it that is not denied by size alone
      await world.join().limiter.decide({ entityId: 'key', cost: { requests: 0 }, settles: false })
    }),
  ),
)

const plans = fc.commands([asking, asking, asking, settling, settling, waiting, waiting, changing], {
  maxCommands: 60,
  size: 'max',
})

describe('the whole limiter', () => {
  test.prop([plans], { numRuns: runs(130) })(
    'decides like a model that logs every event and recounts them each time',
    async (commands) => {
      const world = createTestWorld({ configCacheMs: 0 })
      const limits = limitsWith(150)
      world.config.putEntity('key')
      world.config.putLimits(entityOwner('key'), '_default_', limits)
      const nodes = Array.from({ length: 3 }, () => world.join())
      await fc.asyncModelRun(
        () => ({
          model: { reference: createReferenceLimiter(limits), open: [] },
          real: { world, nodes, open: [] },
        }),
        commands,
      )
    },
  )
})
