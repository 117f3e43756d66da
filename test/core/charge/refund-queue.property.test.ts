import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { fieldsOf } from '../../../src/core/bucket/algorithm.ts'
import { numberIn } from '../../../src/core/bucket/bucket-item.ts'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import { limitChargesOf, planCharge, waitNsOf } from '../../../src/core/bucket/charge-plan.ts'
import type { EffectiveLimit } from '../../../src/core/bucket/effective-limit.ts'
import { receiptOf } from '../../../src/core/bucket/receipt.ts'
import { algorithmOf } from '../../../src/core/bucket/registry.ts'
import { planSettlement } from '../../../src/core/bucket/settle-plan.ts'
import { type BucketItem, set } from '../../../src/core/bucket/write.ts'
import {
  type JointMoment,
  planJointRefund,
  type WaitingRefund,
} from '../../../src/core/charge/refund-queue.ts'
import { createMemoryBucketStore } from '../../../src/store/memory/bucket-store.ts'
import { runs } from '../../property-runs.ts'
import { sizes } from '../bucket/algorithm-history.ts'
import { START } from '../test-clock.ts'

const BUCKET = entityBucket('key', '_default_')

interface Step {
  readonly cost: number
  readonly waitMs: number
  /** The share of the cost that is refunded. */
  readonly share: number
}

const steps = fc.array(
  fc.record({
    cost: fc.integer({ min: 1, max: 12 }),
    waitMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20_000 })),
    share: fc.constantFrom(0, 0.3, 1),
  }),
  { minLength: 1, maxLength: 8 },
)

interface Charged {
  readonly item: BucketItem
  readonly now: bigint
  readonly refunds: readonly WaitingRefund[]
}

/** Charges all that fit, and the refunds that are due then. */
const charged = async (limits: readonly EffectiveLimit[], plan: readonly Step[]): Promise<Charged> => {
  const store = createMemoryBucketStore()
  const refunds: WaitingRefund[] = []
  let [item, now]: [BucketItem | undefined, bigint] = [undefined, START]
  for (const { cost, waitMs, share } of plan) {
    now += BigInt(waitMs) * 1_000_000n
    const charges = limitChargesOf(limits, { tokens: cost })
    const known = item
    if (charges.some((each) => cost > each.effective.algorithm.capacity)) continue
    if (known && charges.some((each) => waitNsOf(known, each, now) > 0n)) continue
    const outcome = await store.write(BUCKET, planCharge(known, charges, now, []))
    if (!outcome.applied) continue
    item = outcome.item
    const receipt = receiptOf({ bucket: BUCKET, limits, item }, { tokens: cost }, now)
    const difference = -Math.floor(cost * share)
    const corrections = receipt.limits.map((limit) => ({ receipt: limit, difference }))
    refunds.push({ receipt, corrections, startedNs: undefined })
  }
  return { item: item ?? {}, now, refunds }
}

const storeWith = async (item: BucketItem) => {
  const store = createMemoryBucketStore()
  const actions = Object.entries(item).map(([name, value]) => set(name, value))
  await store.write(BUCKET, { conditions: [], actions })
  return store
}

/** Each refund by a write of its own. */
const refundedAlone = async (
  item: BucketItem,
  refunds: readonly WaitingRefund[],
  { now, elapsedNs }: JointMoment,
) => {
  const store = await storeWith(item)
  for (const refund of refunds) {
    const { corrections, receipt } = refund
    const plan = { now, unconditional: false, fitsOnly: false, isCurrent: false, counters: [], corrections }
    const snapshot = (await store.read(BUCKET)) ?? {}
    const { generation } = receipt
    const write = planSettlement({ ...plan, snapshot, generation, elapsedNs: elapsedNs(refund) })
    if (write) expect((await store.write(BUCKET, write)).applied).toBe(true)
  }
  return store
}

describe.each(Object.entries(sizes))('joint refunds of a %s', (_, size) => {
  const limits = fc.tuple(size, size, fc.boolean()).map(([first, second, full]) =>
    [first, second].map(
      (each, at): EffectiveLimit => ({
        limit: { name: `l${at}`, meter: 'tokens', size: each, ...(full && { refund: 'full' as const }) },
        algorithm: algorithmOf(each),
        version: 1n,
        source: 'entity',
        headroom: 0,
      }),
    ),
  )

  test.prop([limits, steps, fc.integer({ min: 0, max: 30_000 })], { numRuns: runs(300) })(
    'result in the state of the same refunds one by one',
    async (effective, plan, waitMs) => {
      const { item, now, refunds } = await charged(effective, plan)
      fc.pre(refunds.length > 0)
      const at = now + BigInt(waitMs) * 1_000_000n
      const elapsedNs = ({ receipt }: WaitingRefund): bigint => at - receipt.chargedAt
      const alone = await refundedAlone(item, refunds, { now: at, elapsedNs })
      const joint = await storeWith(item)
      const { write, others } = planJointRefund(item, refunds, { now: at, elapsedNs }, [])
      if (write) expect((await joint.write(BUCKET, write)).applied).toBe(true)
      expect(others).toEqual([])
      const [expected, got] = [(await alone.read(BUCKET)) ?? {}, (await joint.read(BUCKET)) ?? {}]
      for (const { limit } of effective)
        expect(fieldsOf(got, limit.name)).toEqual(fieldsOf(expected, limit.name))
      expect(numberIn(got, 'rev', 0n) - numberIn(item, 'rev', 0n)).toBeLessThanOrEqual(1n)
    },
  )
})
