import { applyActions } from '../bucket/apply-write.ts'
import { numberIn } from '../bucket/bucket-item.ts'
import { type BucketId, bucketKey } from '../bucket/bucket-store.ts'
import type { Receipt } from '../bucket/receipt.ts'
import { type Correction, planSettlement } from '../bucket/settle-plan.ts'
import { type Action, type BucketItem, type ConditionalWrite, equal, remove, set } from '../bucket/write.ts'
import { type Cost, IN_FLIGHT, type Meter, sumOf } from '../model/meter.ts'

/*
 * Refunds of one bucket that end within a quarter of a second share one write. A gateway settles each chat below its estimate;
 * on a busy key, a write for each would cost more than all charges, which leases pay for. The first refund of a bucket is written
 * at once, so that a caller who settles now and then sees it. Additional use is never delayed: only a refund may be late, which
 * errs towards denying.
 */

/** A refund that waits for others of its bucket. */
export interface WaitingRefund {
  readonly receipt: Receipt
  /** All differences are 0 or less. */
  readonly corrections: readonly Correction[]
  /** The monotonic clock before the charge; undefined: unknown. */
  readonly startedNs: bigint | undefined
}

export interface RefundQueue {
  /**
   * Adds a refund that waits for others of its bucket. False, and not added: it must be written at once, as additional use, the
   * release of a slot, and the first refund of a bucket since the last flush.
   */
  defer(refund: WaitingRefund): boolean
  /** The most that waiting refunds return to a bucket, per meter. */
  refundableAt(bucket: BucketId): Cost
  /** Removes and returns the waiting refunds of a bucket. */
  take(bucket: BucketId): readonly WaitingRefund[]
  /** Removes and returns all of them, by bucket. */
  takeAll(): readonly (readonly WaitingRefund[])[]
}

export const createRefundQueue = (): RefundQueue => {
  let waiting = new Map<string, WaitingRefund[]>()
  /** Buckets of which a refund was written since the last flush, or by it. */
  let written = new Set<string>()
  return {
    defer(refund) {
      if (!mayWait(refund)) return false
      const key = bucketKey(refund.receipt.bucket)
      const others = waiting.get(key)
      if (others) others.push(refund)
      else if (written.has(key)) waiting.set(key, [refund])
      else {
        written.add(key)
        return false
      }
      return true
    },
    refundableAt: (bucket) => sumOf((waiting.get(bucketKey(bucket)) ?? []).map(refundable)),
    take(bucket) {
      const key = bucketKey(bucket)
      const taken = waiting.get(key) ?? []
      if (waiting.delete(key)) written.add(key)
      return taken
    },
    takeAll() {
      const taken = [...waiting.values()]
      written = new Set(waiting.keys())
      waiting = new Map()
      return taken
    },
  }
}

const mayWait = ({ corrections }: WaitingRefund): boolean =>
  corrections.every(({ receipt, difference }) =>
    receipt.meter === IN_FLIGHT ? difference === 0 : difference <= 0,
  )

/** Two limits on one meter are refunded the same amount. */
const refundable = ({ corrections }: WaitingRefund): Cost => {
  const amounts: Partial<Record<Meter, number>> = {}
  for (const { receipt, difference } of corrections)
    if (receipt.meter !== IN_FLIGHT) amounts[receipt.meter] = -difference
  return amounts
}

/** ns since the epoch, and since the charge of each refund. */
export interface JointMoment {
  readonly now: bigint
  elapsedNs(refund: WaitingRefund): bigint
}

export interface JointRefund {
  /** One write with all of `refunds`, and the counters; undefined if nothing changes. */
  readonly write: ConditionalWrite | undefined
  /** Refunds of another generation of the bucket: they must be settled alone. */
  readonly others: readonly WaitingRefund[]
}

/**
 * Plans each refund on the state that the previous one results in, and writes the last state, on condition that nothing else has
 * written since the first. So the result is that of the same writes one by one, whatever the algorithms are.
 */
export const planJointRefund = (
  snapshot: BucketItem,
  refunds: readonly WaitingRefund[],
  { now, elapsedNs }: JointMoment,
  counters: readonly Action[],
): JointRefund => {
  const born = numberIn(snapshot, 'born', 0n)
  const [alike, others] = [refunds.filter(isOf(born)), refunds.filter((refund) => !isOf(born)(refund))]
  let state = snapshot
  const plan = { generation: born, now, unconditional: false, fitsOnly: false, isCurrent: false }
  for (const refund of alike) {
    const { corrections } = refund
    const known = { ...plan, snapshot: state, elapsedNs: elapsedNs(refund), corrections, counters: [] }
    const write = planSettlement(known)
    if (write) state = applyActions(state, write.actions)
  }
  state = applyActions(state, counters)
  return { write: state === snapshot ? undefined : replacing(snapshot, state), others }
}

const isOf =
  (born: bigint) =>
  ({ receipt }: WaitingRefund): boolean =>
    receipt.generation === born

/** A write that turns exactly `before` into `after`. */
const replacing = (before: BucketItem, after: BucketItem): ConditionalWrite | undefined => {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  const actions = [...names].flatMap((name): readonly Action[] => {
    const value = after[name]
    if (value === before[name]) return []
    return [value === undefined ? remove(name) : set(name, value)]
  })
  if (actions.length === 0) return undefined
  const rev = numberIn(before, 'rev', 0n)
  const changed = actions.filter(({ path }) => path !== 'rev')
  return {
    conditions: [equal('born', numberIn(before, 'born', 0n)), equal('rev', rev)],
    actions: [...changed, set('rev', rev + 1n)],
  }
}
