import { bucketKey } from '../bucket/bucket-id.ts'
import { type Counts, countActions, summed, type Tally } from '../counting/tally.ts'
import { StoreUnavailable } from '../errors.ts'
import { denies, rememberedDenial } from '../leasing/denial.ts'
import type { Lease } from '../leasing/lease.ts'
import type { Leases } from '../leasing/leases.ts'
import { isEnforced } from '../limit/limit.ts'
import { type Cost, sumOf } from '../limit/meter.ts'
import type { Clock } from '../ports/clock.ts'
import type { BucketWriter } from './bucket-writer.ts'
import { type ChargeOrder, type ChargeOutcome, chargeBucket } from './charge-bucket.ts'
import { fitting } from './fitting.ts'
import { limitsText } from './limits-text.ts'
import { receiptOf } from './receipt-of.ts'

/** A charge on one bucket, as one request asks for it. */
export interface SharedOrder extends Omit<ChargeOrder, 'now' | 'counters'> {
  /** Counters to write along with the charge. */
  readonly counts: Counts
}

export interface SharedOutcome extends ChargeOutcome {
  /** The moment of the charge, ns since the epoch. */
  readonly chargedAt: bigint
  /** The lease that it was spent from, where no write was needed. */
  readonly lease?: Lease
  /** What this process still holds in leases, per meter. */
  readonly held: Cost
}

/** Charges buckets for all requests of this process. */
export interface Charger {
  /** As `chargeBucket`: each order is charged or denied by itself. Throws `StoreUnavailable`. */
  charge(order: SharedOrder): Promise<SharedOutcome>
  /** Whether a lease would pay for a charge now, without a write. */
  isPaidFor(order: Pick<SharedOrder, 'bucket' | 'limits' | 'cost'>): boolean
}

export interface ChargerDependencies {
  readonly writer: BucketWriter
  readonly tally: Tally
  readonly clock: Clock
  readonly leases: Leases
}

interface Waiting {
  readonly order: SharedOrder
  resolve(outcome: SharedOutcome): void
  reject(error: unknown): void
}

/** Writes of one round that others overtake before those left are told so. */
const MAX_OVERTAKEN = 3

/**
 * Requests that come for a bucket while a write to it is under way wait for it, and share the next: one write charges the
 * sum. Where the sum is denied, the state that denied it says who fits, in the order of arrival, and these are written again.
 */
export const createCharger = (deps: ChargerDependencies): Charger => {
  const lines = new Map<string, Waiting[]>()

  const serve = async (key: string, line: Waiting[]): Promise<void> => {
    while (line.length > 0) {
      const round = takeAlike(line)
      try {
        await chargeRound(deps, round)
      } catch (error) {
        for (const { reject } of round) reject(error)
      }
    }
    lines.delete(key)
  }

  return {
    isPaidFor: ({ bucket, limits, cost }) => deps.leases.isOn && deps.leases.canSpend(bucket, limits, cost),
    charge(order) {
      if (!order.limits.every(({ limit }) => isEnforced(limit))) return chargeAlone(deps, order)
      const known = withoutTable(deps, order)
      if (known) return Promise.resolve(known)
      return new Promise((resolve, reject) => {
        const key = bucketKey(order.bucket)
        const line = lines.get(key)
        if (line) line.push({ order, resolve, reject })
        else {
          const begun = [{ order, resolve, reject }]
          lines.set(key, begun)
          void serve(key, begun)
        }
      })
    },
  }
}

/** What leases and remembered denials answer. */
const withoutTable = (
  { writer, tally, clock, leases }: ChargerDependencies,
  { bucket, limits, cost, counts }: SharedOrder,
): SharedOutcome | undefined => {
  if (!leases.isOn) return undefined
  const slot = leases.slotOf(bucket, limits)
  const item = writer.lastSeen(bucket)
  const lease = leases.spend(slot, cost)
  const outcome = { item, limits, over: [], held: leases.heldOf(slot) }
  if (lease) {
    tally.add(bucket, counts, { isUse: true, nowNs: clock.monotonic() })
    return { ...outcome, result: 'charged', chargedAt: lease.receipt.chargedAt, lease }
  }
  const { denial } = slot
  const now = clock.now()
  if (denial === undefined || !denies(denial, item, cost, now, clock.monotonic())) return undefined
  return { ...outcome, result: 'denied', chargedAt: now }
}

/** Those at the front of the line, and all who are charged by the same limits. */
const takeAlike = (line: Waiting[]): readonly Waiting[] => {
  const [first] = line
  if (first === undefined) return []
  const text = limitsText(first.order.limits)
  const alike = line.filter(({ order }) => limitsText(order.limits) === text)
  line.splice(0, line.length, ...line.filter((waiting) => !alike.includes(waiting)))
  return alike
}

/** Answers every one of `waiting`, unless it throws. */
const chargeRound = async (deps: ChargerDependencies, waiting: readonly Waiting[]): Promise<void> => {
  let left = waiting
  let known: SharedOutcome | undefined
  let overtaken = 0
  while (left.length > 0) {
    const now = deps.clock.now()
    const chosen = chosenOf(left, known, now)
    if (chosen.length === 0) return answerAll(deps, left, deniedBy(known, now))
    known = await chargeSum(deps, chosen)
    const answer = answerTo(chosen, known, overtaken)
    if (answer) answerAll(deps, chosen, answer)
    else overtaken++
    if (answer || !known) left = left.filter((each) => !chosen.includes(each))
  }
}

/** undefined: those who were charged together are to be looked at again, by the state that denied their sum. */
const answerTo = (
  chosen: readonly Waiting[],
  outcome: SharedOutcome | undefined,
  overtaken: number,
): SharedOutcome | undefined => {
  if (outcome === undefined || outcome.result === 'charged' || chosen.length === 1) return outcome
  return overtaken < MAX_OVERTAKEN ? undefined : { ...outcome, result: 'contended' }
}

const answerAll = (deps: ChargerDependencies, waiting: readonly Waiting[], outcome: SharedOutcome): void => {
  for (const { order, resolve } of waiting) {
    if (outcome.result === 'denied') rememberDenial(deps, order, outcome)
    resolve(outcome)
  }
}

const rememberDenial = (
  { leases, clock }: ChargerDependencies,
  { bucket, limits, cost }: SharedOrder,
  outcome: SharedOutcome,
): void => {
  if (!leases.isOn) return
  const slot = leases.slotOf(bucket, limits)
  slot.denial = rememberedDenial(outcome.item, limits, cost, clock.now(), clock.monotonic())
}

const deniedBy = (known: SharedOutcome | undefined, now: bigint): SharedOutcome => ({
  result: 'denied',
  item: known?.item,
  limits: known?.limits ?? [],
  over: [],
  chargedAt: now,
  held: known?.held ?? {},
})

/** Who to charge together: whoever fits beside those before, by what is known of the bucket; at least by the limits' sizes. */
const chosenOf = (
  left: readonly Waiting[],
  known: SharedOutcome | undefined,
  now: bigint,
): readonly Waiting[] => {
  const limits = known?.limits ?? left[0]?.order.limits ?? []
  const isIn = fitting(
    limits,
    known?.item,
    left.map(({ order }) => order.cost),
    now,
  )
  const chosen = left.filter((_, index) => isIn[index])
  // by the sizes alone, what fits no state is for the bucket to deny
  return known === undefined && chosen.length === 0 ? left.slice(0, 1) : chosen
}

/** undefined: the store has failed them, and they have been told. */
const chargeSum = async (
  deps: ChargerDependencies,
  chosen: readonly Waiting[],
): Promise<SharedOutcome | undefined> => {
  const [first] = chosen
  if (first === undefined) return undefined
  const orders = chosen.map(({ order }) => order)
  const cost = sumOf(orders.map((order) => order.cost))
  const counts = orders.reduce<Counts>((sum, order) => summed(sum, order.counts), {})
  try {
    return await chargeAhead(deps, { ...first.order, cost, counts })
  } catch (error) {
    for (const { reject } of chosen) reject(error)
    return undefined
  }
}

/** Charges what is likely to be asked for soon in the same write. Where that is too much, what is asked for now. */
const chargeAhead = async (deps: ChargerDependencies, order: SharedOrder): Promise<SharedOutcome> => {
  const { leases, writer, clock } = deps
  const { bucket, limits, cost } = order
  const slot = leases.isOn ? leases.slotOf(bucket, limits) : undefined
  const extra = slot && leases.wanted(slot, limits, cost, writer.lastSeen(bucket))
  if (slot === undefined || extra === undefined) return chargeAlone(deps, order)
  const startedNs = clock.monotonic()
  const outcome = await chargeAlone(deps, { ...order, cost: sumOf([cost, extra]) })
  if (outcome.result !== 'charged') return chargeAlone(deps, order)
  const { item = {}, chargedAt } = outcome
  const receipt = receiptOf({ bucket, limits: outcome.limits, item }, extra, chargedAt)
  // another slot may have taken its place while the write was under way
  const current = leases.slotOf(bucket, limits)
  leases.keep(current, { limits: outcome.limits, extra, item, receipt, startedNs })
  return { ...outcome, held: leases.heldOf(current) }
}

const chargeAlone = async (
  { writer, tally, clock, leases }: ChargerDependencies,
  { counts, ...order }: SharedOrder,
): Promise<SharedOutcome> => {
  const now = clock.now()
  const pending = tally.take(order.bucket)
  const counters = countActions(summed(pending?.counts ?? {}, counts))
  try {
    const outcome = await chargeBucket(writer, { ...order, now, counters })
    if (pending && outcome.result !== 'charged') tally.putBack(pending)
    const held = leases.isOn ? leases.heldOf(leases.slotOf(order.bucket, order.limits)) : {}
    return { ...outcome, chargedAt: now, held }
  } catch (error) {
    const isSurelyUnwritten = error instanceof StoreUnavailable && !error.mayHaveApplied
    if (pending && isSurelyUnwritten) tally.putBack(pending)
    throw error
  }
}
