import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import { createReservationService } from '../../../src/core/admin/reservations.ts'
import {
  type BucketStore,
  bucketKey,
  entityBucket,
  policyBucket,
} from '../../../src/core/bucket/bucket-store.ts'
import type { BucketItem } from '../../../src/core/bucket/write.ts'
import type { Limit } from '../../../src/core/model/limit.ts'
import { randomSecrets } from '../../../src/platform/secrets.ts'
import { runs } from '../../property-runs.ts'
import { createMemoryReservationStore } from '../../support/memory-request-stores.ts'
import { createInterleavedStore, type Fate } from '../interleaved-store.ts'
import { entityOwner } from '../test-config.ts'
import { createTestNode, createTestWorld } from '../test-limiter.ts'

/*
 * One caller, on several nodes, who reserves and settles any amounts, at any rate and concurrency, below a
 * parent whose limit is never reached and a policy shared with a sibling.
 */

const CAPACITY = 60

const PER_SECOND = 1

const MS = 1_000_000n

const SECOND_NS = 1000n * MS

const TTL_MS = 1000

const OWN: Readonly<Record<string, readonly object[]>> = {
  'a token bucket': [{ name: 'tpm', capacity: CAPACITY, refill_rate: PER_SECOND }],
  'two limits': [
    { name: 'tpm', capacity: CAPACITY, refill_rate: PER_SECOND },
    { name: 'burst', meter: 'tokens', capacity: CAPACITY / 2, refill_rate: 10 },
  ],
  'a fixed window': [{ name: 'tpm', algorithm: 'fixed_window', limit: CAPACITY, window: 'minute' }],
  'a sliding window': [
    { name: 'tpm', algorithm: 'sliding_window', limit: CAPACITY, window_seconds: 60, slots: 6 },
  ],
}

const step = fc.record({
  node: fc.nat(2),
  does: fc.constantFrom('check', 'reserve', 'reserve', 'settle', 'settle', 'sibling'),
  tokens: fc.integer({ min: 0, max: 40 }),
  used: fc.oneof(fc.integer({ min: 0, max: 80 }), fc.constantFrom(Number.MAX_SAFE_INTEGER, 10_000, 2 ** 40)),
})

/** Concurrent steps, and the time until the next ones. */
const batch = fc.record({ steps: fc.array(step, { minLength: 1, maxLength: 8 }), waitMs: fc.nat(20_000) })

const fate = (ends: readonly Fate['end'][]) =>
  fc.record({ there: fc.nat(6), back: fc.nat(6), end: fc.constantFrom(...ends) })

const plans = (ends: readonly Fate['end'][]) =>
  fc.record({
    own: fc.constantFrom(...Object.keys(OWN)),
    hasTotal: fc.boolean(),
    leases: fc.boolean(),
    batches: fc.array(batch, { minLength: 1, maxLength: 10 }),
    fates: fc.array(fate(ends), { minLength: 1, maxLength: 40 }),
  })

type Plan = ReturnType<typeof plans> extends fc.Arbitrary<infer T> ? T : never

const limits = (list: readonly object[]): readonly Limit[] => parseLimits(list, 'limits')

const PARENT = bucketKey(entityBucket('project', '_default_'))

const POLICY = bucketKey(policyBucket({ scope: 'GLOBAL', selector: '*' }))

/** The change of a shared bucket by one write. */
interface SharedCharge {
  readonly at: bigint
  readonly tokens: number
}

const worldFor = (plan: Plan) => {
  const world = createTestWorld()
  const { config } = world
  config.putEntity('project', { kind: 'tenant' })
  for (const id of ['caller', 'sibling']) config.putEntity(id, { parentId: 'project' })
  config.putLimits(entityOwner('caller'), '_default_', limits(OWN[plan.own] ?? []))
  if (plan.hasTotal) config.putLimits(entityOwner('caller'), '_total_', limits(OWN['a token bucket'] ?? []))
  // `n` is the sum of all charges, less refunds
  const wide = { name: 'tpd', algorithm: 'sliding_window', limit: 10 ** 12, window_seconds: 8_640_000 }
  config.putLimits(entityOwner('project'), '_default_', limits([wide]))
  config.putPolicy('GLOBAL', '*', limits([{ name: 'tpm', capacity: 50, refill_rate: 1 }]))
  return world
}

/** The table, with the charges of each write to the parent and whether it leaves the policy in debt. */
const watched = ({ buckets, clock }: ReturnType<typeof worldFor>) => {
  const charges: SharedCharge[] = []
  const debts: string[] = []
  const before = new Map<string, BucketItem | undefined>()
  const logged: BucketStore = {
    ...buckets,
    async write(id, write) {
      const outcome = await buckets.write(id, write)
      const key = bucketKey(id)
      if (outcome.applied && key === PARENT) {
        const tokens = Number(outcome.item.tpd_n ?? 0n) - Number(before.get(key)?.tpd_n ?? 0n)
        charges.push({ at: clock.now(), tokens })
        before.set(key, outcome.item)
      }
      const tat = outcome.item?.tpm_tat
      if (outcome.applied && key === POLICY && typeof tat === 'bigint' && tat > clock.now() + 50n * SECOND_NS)
        debts.push(`${tat - clock.now()} ns`)
      return outcome
    },
  }
  return { logged, charges, debts }
}

type Step = Plan['batches'][number]['steps'][number]

const nodesOn = (plan: Plan, world: ReturnType<typeof worldFor>, logged: BucketStore) => {
  const { config, clock } = world
  let calls = 0
  const next = (): Fate => plan.fates[calls++ % plan.fates.length] ?? { there: 0, back: 0, end: 'delivered' }
  const reservations = createMemoryReservationStore()
  const settings = { leaseTtlMs: plan.leases ? TTL_MS : 0 }
  return Array.from({ length: 3 }, () => {
    const buckets = createInterleavedStore(logged, next)
    const { limiter } = createTestNode({ buckets, config, clock, settings })
    const service = createReservationService({ limiter, reservations, clock, secrets: randomSecrets })
    return { limiter, service }
  })
}

type Node = ReturnType<typeof nodesOn>[number]

const carryOut = async ({ limiter, service }: Node, open: string[], { does, tokens, used }: Step) => {
  if (does === 'settle') {
    const id = open.shift()
    const cost = { tokens: used, output_tokens: used }
    if (id !== undefined) await service.end('caller', id, cost, { callerId: 'caller' })
    return
  }
  const entityId = does === 'sibling' ? 'sibling' : 'caller'
  const settles = does === 'reserve'
  const decision = await limiter.decide({ entityId, cost: { requests: 1, tokens }, settles })
  if (settles && decision.allowed) open.push((await service.hold('caller', decision.reservation, 3600)).id)
}

const carriedOut = async (plan: Plan) => {
  const world = worldFor(plan)
  const { clock } = world
  const { logged, charges, debts } = watched(world)
  const nodes = nodesOn(plan, world, logged)
  const flush = (all: boolean) =>
    Promise.all(nodes.map(({ limiter }) => limiter.flush({ all }).catch(() => {})))
  const open: string[] = []
  const start = clock.now()
  for (const { steps, waitMs } of plan.batches) {
    await Promise.all(
      steps.map(async (each) => {
        const node = nodes[each.node]
        if (node) await carryOut(node, open, each)
      }),
    )
    clock.advance(BigInt(waitMs) * MS)
    await flush(false)
  }
  await flush(true)
  const parent = (await world.buckets.read(entityBucket('project', '_default_'))) ?? {}
  return { charges, debts, parent, elapsedNs: clock.now() - start }
}

/** The most that the caller's own limit allows in a span; for a window, its limit in each minute the span touches. */
const allowedIn = (own: string, ns: bigint): number => {
  const minutes = Number(ns) / (60 * 1e9)
  if (own === 'a sliding window') return CAPACITY * (1 + Math.floor(minutes))
  if (own === 'a fixed window') return CAPACITY * (2 + Math.floor(minutes))
  return CAPACITY + PER_SECOND * (Number(ns) / 1e9)
}

const alone = (plan: Plan): Plan => ({
  ...plan,
  batches: plan.batches.map(({ steps, waitMs }) => ({
    waitMs,
    steps: steps.filter(({ does }) => does !== 'sibling'),
  })),
})

describe('a caller’s checks and settlements on shared buckets', () => {
  // with leases, the process charges the parent's table ahead, not the caller: the bound is on use
  test.prop([plans(['delivered'])], { numRuns: runs(300) })(
    'charge in any span at most what their own limits allow in it',
    async (plan) => {
      const { charges } = await carriedOut({ ...alone(plan), leases: false })
      const moments = [...new Set(charges.map(({ at }) => at))]
      for (const begin of moments) {
        for (const end of moments.filter((at) => at >= begin)) {
          const charged = charges
            .filter(({ at }) => at >= begin && at <= end)
            .reduce((sum, { tokens }) => sum + tokens, 0)
          expect(charged).toBeLessThanOrEqual(allowedIn(plan.own, end - begin))
        }
      }
    },
  )

  test.prop([plans(['delivered', 'delivered', 'delivered', 'applied and lost', 'lost', 'refused'])], {
    numRuns: runs(300),
  })('put no bucket into debt and count no more than that as used, if responses are lost', async (plan) => {
    const { debts, parent, elapsedNs } = await carriedOut(alone(plan))
    expect(debts).toEqual([])
    const ttlNs = plan.leases ? BigInt(TTL_MS) * MS : 0n
    expect(Number(parent.used_tokens ?? 0n)).toBeLessThanOrEqual(allowedIn(plan.own, elapsedNs + ttlNs))
    expect(parent).not.toHaveProperty('used_output_tokens')
  })

  test.prop([plans(['delivered'])], { numRuns: runs(150) })(
    'put no bucket into debt if others use it at the same time',
    async (plan) => {
      expect((await carriedOut(plan)).debts).toEqual([])
    },
  )
})
