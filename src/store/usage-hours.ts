import type { WriteOutcome } from '../core/bucket/bucket-store.ts'
import {
  anyOf,
  type BucketItem,
  below,
  type ConditionalWrite,
  equal,
  missing,
  set,
  setIfMissing,
} from '../core/bucket/write.ts'
import { StoreUnavailable } from '../core/model/errors.ts'
import type { Counters, UsageHour } from '../core/model/usage.ts'

/** How long an hour of usage is kept, seconds: a year and a month. */
const KEPT_SECONDS = 400n * 86_400n
/** How often a late record is tried against others that change the same hour. */
const TRIES = 5

/** Which item an hour of one life of a bucket is. */
export type HourKey = Pick<UsageHour, 'entityId' | 'resource' | 'born' | 'hourStart'>

/** Writes one hour's item. */
export type WriteHour = (key: HourKey, write: ConditionalWrite) => Promise<WriteOutcome>

/**
 * Carries out `UsageStore.record`, the same for every adapter: ONE conditional write, which keeps the first `from` and
 * raises `to`; and only where the batch is late, or reaches further back than what was recorded, one more that lowers
 * `from`. Counters only grow, so `from` only falls and `to` only rises, however often and in whatever order.
 */
export const createRecordHour =
  (write: WriteHour) =>
  async (hour: UsageHour): Promise<void> => {
    let { item } = await write(hour, raise(hour))
    for (let tries = 0; tries < TRIES; tries += 1) {
      const stored = countersOf(item, 'from')
      const lowered = lower(stored, hour.from)
      if (item === undefined || lowered.length === 0) return
      const outcome = await write(hour, {
        conditions: lowered.map(([name, value]) => equal(['from', name], value)),
        actions: lowered.map(([name]) => set(['from', name], hour.from[name] ?? 0n)),
      })
      if (outcome.applied) return
      item = outcome.item
    }
    throw new StoreUnavailable('An hour of usage was changed again and again', { mayHaveApplied: false })
  }

const raise = ({ from, to, rev, hourStart }: UsageHour): ConditionalWrite => ({
  conditions: [anyOf(missing('rev'), below('rev', rev))],
  actions: [
    setIfMissing('from', from),
    set('to', to),
    set('rev', rev),
    set('ttl', BigInt(hourStart) + KEPT_SECONDS),
  ],
})

/** The stored counters that stand above those of `from`; one that is missing counts as 0. */
const lower = (stored: Counters, from: Counters): readonly (readonly [name: string, value: bigint])[] =>
  Object.entries(stored).filter(([name, value]) => value > (from[name] ?? 0n))

/** The counters under `name` of an hour's item. */
export const countersOf = (item: BucketItem | undefined, name: 'from' | 'to'): Counters => {
  const value = item?.[name]
  return typeof value === 'object' ? value : {}
}
