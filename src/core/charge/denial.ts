import { fieldsOf } from '../bucket/algorithm.ts'
import { textIn } from '../bucket/bucket-item.ts'
import { boundOf, type EffectiveLimit, isPaused } from '../bucket/effective-limit.ts'
import { untilTransitionOf } from '../bucket/scheduled-limit.ts'
import type { BucketItem } from '../bucket/write.ts'
import { amountOf, type ChargedCost, type Cost, IN_FLIGHT, type LimitMeter } from '../model/meter.ts'
import { SECOND_NS, smaller } from '../model/time.ts'
import { deniedCounter } from './counters.ts'

/** A denial by the table, and the time for which it may be repeated without a write. */
export interface Denial {
  /** The state that denied. Once another state is cached, the denial does not hold. */
  readonly item: BucketItem
  readonly limits: readonly EffectiveLimit[]
  readonly reasons: readonly Reason[]
  /** The counters of the bucket that each repetition increments: `denied_<limit>`. */
  readonly counters: readonly string[]
  /** The end by the monotonic clock, from which the configuration may be read again. */
  readonly untilNs: bigint
}

/** A limit on `meter` denies `amount` until `passesAt`, ns since the epoch. */
interface Reason {
  readonly meter: LimitMeter
  readonly amount: number
  readonly passesAt: bigint
}

/** Before a denial the configuration is read again, at most once per second. */
const LONGEST_NS = SECOND_NS

/** The denial at `now`, to be repeated; undefined if the state does not show the reason because its limits have changed. */
export const rememberedDenial = (
  item: BucketItem | undefined,
  limits: readonly EffectiveLimit[],
  cost: ChargedCost,
  now: bigint,
  monotonicNs: bigint,
): Denial | undefined => {
  if (item === undefined || limits.some((effective) => isOther(item, effective))) return undefined
  const reasons: Reason[] = []
  const counters: string[] = []
  for (const effective of limits) {
    const { limit, algorithm } = effective
    const [amount, bound] = [amountOf(cost, limit.meter), boundOf(effective)]
    if (amount === undefined || amount > bound || isPaused(effective)) continue
    const waitNs = algorithm.wait(fieldsOf(item, limit.name), amount, now, bound)
    if (waitNs === 0n) continue
    reasons.push({ meter: limit.meter, amount, passesAt: untilTransitionOf(effective, now + waitNs) })
    counters.push(deniedCounter(limit.name))
  }
  if (reasons.length === 0) return undefined
  const longest = reasons.reduce((end, { passesAt }) => (passesAt > end ? passesAt : end), now)
  return { item, limits, reasons, counters, untilNs: monotonicNs + smaller(longest - now, LONGEST_NS) }
}

/**
 * Whether a remembered denial holds for `cost`: it requests at least the denied amount of a denied meter. `snapshot` is the
 * cached state: if it is another one, a refund may have made room.
 */
export const denies = (
  denial: Denial,
  snapshot: BucketItem | undefined,
  cost: Cost,
  now: bigint,
  monotonicNs: bigint,
): boolean => {
  if (monotonicNs >= denial.untilNs || denial.item !== snapshot) return false
  for (const { meter, amount, passesAt } of denial.reasons) {
    // each request requires a slot
    const wanted = meter === IN_FLIGHT ? amount : cost[meter]
    if (wanted !== undefined && wanted >= amount && now < passesAt) return true
  }
  return false
}

const isOther = (item: BucketItem, { limit, algorithm }: EffectiveLimit): boolean => {
  const text = textIn(item, limit.name)
  return text !== undefined && text !== algorithm.text
}
