import { fieldsOf } from '../algorithms/algorithm.ts'
import { smaller } from '../algorithms/integers.ts'
import type { BucketItem } from '../bucket/conditional-write.ts'
import { boundOf, type LimitInForce, textIn } from '../bucket/limit-in-force.ts'
import type { Cost, Meter } from '../limit/meter.ts'

/** A denial that the table has given, and for how long it speaks for itself. */
export interface Denial {
  /** The state that denied. A later one that this process has seen takes its word away. */
  readonly item: BucketItem
  readonly limits: readonly LimitInForce[]
  readonly reasons: readonly Reason[]
  /** By the steady clock: then the configuration may be looked at again. */
  readonly untilNs: bigint
}

/** A limit that denied `amount`, and does so before `passesAt`, ns since the epoch. */
interface Reason {
  readonly limitName: string
  readonly meter: Meter
  readonly amount: number
  readonly passesAt: bigint
}

/** The configuration is looked at again before a denial is given, at most once a second. */
const LONGEST_NS = 1_000_000_000n

/** What to remember of a denial at `now`; undefined where the state does not say why (its limits have changed). */
export const rememberedDenial = (
  item: BucketItem | undefined,
  limits: readonly LimitInForce[],
  cost: Cost,
  now: bigint,
  steadyNs: bigint,
): Denial | undefined => {
  if (item === undefined || limits.some((inForce) => isOther(item, inForce))) return undefined
  const reasons = limits.flatMap((inForce): Reason[] => {
    const { limit, algorithm } = inForce
    const amount = cost[limit.meter]
    const bound = boundOf(inForce)
    if (amount === undefined || amount > bound) return []
    const waitNs = algorithm.wait(fieldsOf(item, limit.name), amount, now, bound)
    return waitNs > 0n ? [{ limitName: limit.name, meter: limit.meter, amount, passesAt: now + waitNs }] : []
  })
  if (reasons.length === 0) return undefined
  const longest = reasons.reduce((end, { passesAt }) => (passesAt > end ? passesAt : end), now)
  return { item, limits, reasons, untilNs: steadyNs + smaller(longest - now, LONGEST_NS) }
}

/** Whether a remembered denial holds for `cost`: at least as much of something that was too much. */
export const denies = (denial: Denial, cost: Cost, now: bigint, steadyNs: bigint): boolean => {
  if (steadyNs >= denial.untilNs) return false
  for (const { meter, amount, passesAt } of denial.reasons) {
    const wanted = cost[meter]
    if (wanted !== undefined && wanted >= amount && now < passesAt) return true
  }
  return false
}

const isOther = (item: BucketItem, { limit, algorithm }: LimitInForce): boolean => {
  const text = textIn(item, limit.name)
  return text !== undefined && text !== algorithm.text
}
