import { bucketKey } from '../bucket/bucket-store.ts'
import { isEnforced } from '../model/limit.ts'
import { sumOf } from '../model/meter.ts'
import {
  type ChargerDependencies,
  chargeAhead,
  chargeAlone,
  fitting,
  type LeasedBucket,
  paidByLease,
  renewLease,
  type SharedOrder,
  type SharedOutcome,
  withLeasesBack,
  withoutTable,
} from './charge-ahead.ts'
import { type Counts, summed } from './counters.ts'
import { rememberedDenial } from './denial.ts'
import { chargingText, type Lease } from './lease.ts'

/** Charges buckets for all requests of this process. */
export interface Charger {
  /** As `chargeBucket`: each order is charged or denied by itself. Throws `StoreUnavailable`. */
  charge(order: SharedOrder): Promise<SharedOutcome>
  /** Whether a lease would pay for a charge now, without a write. */
  isPaidFor(order: Pick<SharedOrder, 'bucket' | 'limits' | 'cost'>): boolean
  /** Whether so many ask for the bucket that one write to it pays for most of them: the next one takes a lease for many. */
  isShared(order: Pick<SharedOrder, 'bucket' | 'limits' | 'cost'>): boolean
  /** Charges the lease that follows one that is due to be followed, unless a charge is under way, which takes one itself. */
  renew(of: LeasedBucket, lease: Lease): void
  /** Resolves once all leases that are being charged by `renew` are held, or lost. */
  renewed(): Promise<unknown>
}

interface WaitingCharge {
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
  const { leases, writer } = deps
  const lines = createLines(deps)
  const renewals = new Set<Promise<void>>()

  const renew = (of: LeasedBucket, lease: Lease): void => {
    lease.isFollowed = true
    const key = bucketKey(of.bucket)
    if (lines.isWaitedIn(key)) return
    const renewal = lines.leadIn(key, () => renewLease(deps, of, lease))
    renewals.add(renewal)
    void renewal.then(() => renewals.delete(renewal))
  }

  return {
    isPaidFor: ({ bucket, limits, cost }) => leases.isOn && leases.canSpend(bucket, limits, cost),
    isShared({ bucket, limits, cost }) {
      if (!leases.isOn) return false
      const slot = leases.slotOf(bucket, limits)
      return leases.wantedOfMany(slot, limits, cost, writer.cached(bucket)) !== undefined
    },
    renew,
    renewed: () => Promise.all(renewals),
    charge(order) {
      if (!order.limits.every(({ limit }) => isEnforced(limit))) return chargeAlone(deps, order)
      const known = withoutTable(deps, order)
      if (known?.lease && leases.isDue(known.lease)) renew(order, known.lease)
      if (known) return Promise.resolve(known)
      return new Promise((resolve, reject) => lines.join(bucketKey(order.bucket), { order, resolve, reject }))
    },
  }
}

/** Who waits for a write, by the key of the bucket: one write to each is under way. */
const createLines = (deps: ChargerDependencies) => {
  const lines = new Map<string, WaitingCharge[]>()

  const serve = async (key: string, line: WaitingCharge[]): Promise<void> => {
    while (line.length > 0) {
      const round = takeAlike(line).filter((waiting) => !isPaid(deps, waiting))
      try {
        await chargeRound(deps, round)
      } catch (error) {
        for (const { reject } of round) reject(error)
      }
    }
    lines.delete(key)
  }
  const begin = (key: string, ...first: WaitingCharge[]): WaitingCharge[] => {
    lines.set(key, first)
    return first
  }

  return {
    isWaitedIn: (key: string): boolean => lines.has(key),
    join(key: string, waiting: WaitingCharge): void {
      const line = lines.get(key)
      if (line) line.push(waiting)
      else void serve(key, begin(key, waiting))
    },
    /** Those who come while `write`, which never throws, is under way are served after it. */
    async leadIn(key: string, write: () => Promise<void>): Promise<void> {
      const line = begin(key)
      await write()
      void serve(key, line)
    },
  }
}

/** Whether the lease that has come with the write before pays for one who has waited for that. */
const isPaid = (deps: ChargerDependencies, { order, resolve }: WaitingCharge): boolean => {
  const paid = paidByLease(deps, order)
  if (paid) resolve(paid)
  return paid !== undefined
}

/** Those at the front of the line, and all who are charged by the same limits. */
const takeAlike = (line: WaitingCharge[]): readonly WaitingCharge[] => {
  const [first] = line
  if (first === undefined) return []
  const text = chargingText(first.order.limits)
  const alike = line.filter(({ order }) => chargingText(order.limits) === text)
  line.splice(0, line.length, ...line.filter((waiting) => !alike.includes(waiting)))
  return alike
}

/** Answers every one of `waiting`, unless it throws. */
const chargeRound = async (deps: ChargerDependencies, waiting: readonly WaitingCharge[]): Promise<void> => {
  let left = waiting
  let known: SharedOutcome | undefined
  let overtaken = 0
  while (left.length > 0) {
    const now = deps.clock.now()
    const chosen = chosenOf(left, known, now)
    if (chosen.length === 0) return answerAll(deps, left, deniedBy(known, now))
    const tried = await tryTogether(deps, left, chosen, overtaken)
    const { answer } = tried
    known = tried.known
    if (answer) answerAll(deps, chosen, answer)
    else overtaken++
    if (answer || !known) left = left.filter((each) => !chosen.includes(each))
  }
}

/** Without an answer all who are left are to be looked at again, by the state that is known then. */
const tryTogether = async (
  deps: ChargerDependencies,
  left: readonly WaitingCharge[],
  chosen: readonly WaitingCharge[],
  overtaken: number,
): Promise<{ readonly known?: SharedOutcome | undefined; readonly answer?: SharedOutcome | undefined }> => {
  const known = await chargeSum(deps, chosen)
  const orders = left.map(({ order }) => order)
  const back = known && (await withLeasesBack(deps, orders, known))
  return back ? { known: back } : { known, answer: answerTo(chosen, known, overtaken) }
}

/** undefined: those who were charged together are to be looked at again, by the state that denied their sum. */
const answerTo = (
  chosen: readonly WaitingCharge[],
  outcome: SharedOutcome | undefined,
  overtaken: number,
): SharedOutcome | undefined => {
  if (outcome === undefined || outcome.result === 'charged' || chosen.length === 1) return outcome
  return overtaken < MAX_OVERTAKEN ? undefined : { ...outcome, result: 'contended' }
}

const answerAll = (
  deps: ChargerDependencies,
  waiting: readonly WaitingCharge[],
  outcome: SharedOutcome,
): void => {
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
  exceeded: [],
  chargedAt: now,
  held: known?.held ?? {},
})

/** Who to charge together: whoever fits beside those before, by what is known of the bucket; at least by the limits' sizes. */
const chosenOf = (
  left: readonly WaitingCharge[],
  known: SharedOutcome | undefined,
  now: bigint,
): readonly WaitingCharge[] => {
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
  chosen: readonly WaitingCharge[],
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
