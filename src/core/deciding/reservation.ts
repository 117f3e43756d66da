import type { Correction } from '../bucket/plan-settlement.ts'
import type { BucketWriter } from '../charging/bucket-writer.ts'
import { type Receipt, settleBucket } from '../charging/settle-bucket.ts'
import { countActions, summed, type Tally, useOf } from '../counting/tally.ts'
import { StoreUnavailable } from '../errors.ts'
import { type Cost, isAmount, usedInstead } from '../limit/meter.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { Metrics } from '../ports/metrics.ts'
import type { ChargedPart } from './charge-plan.ts'
import type { Reservation } from './decision.ts'

export interface SettlingDependencies {
  readonly writer: BucketWriter
  readonly tally: Tally
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
}

/** What an allowed decision holds, to be settled or released once. `startedNs`: the steady clock before it was charged. */
export const createReservation = (
  deps: SettlingDependencies,
  parts: readonly ChargedPart[],
  reserved: Cost,
  startedNs: bigint,
): Reservation => {
  let isOpen = true
  const once = async (end: () => Promise<unknown>): Promise<void> => {
    if (!isOpen) return
    isOpen = false
    await end()
  }
  return {
    settle: (actual) =>
      once(() => {
        const used = usedInstead(reserved, amountsIn(actual))
        return Promise.all(parts.map((part) => settlePart(deps, part, used, startedNs)))
      }),
    release: () => once(() => giveBackAll(deps, parts, startedNs)),
  }
}

/** Nothing to settle: what was used is counted already. */
export const settledReservation: Reservation = { settle: async () => {}, release: async () => {} }

/** Gives back what was charged; what was not charged for certain is never given back. */
export const giveBackAll = (
  deps: SettlingDependencies,
  parts: readonly ChargedPart[],
  startedNs: bigint,
): Promise<unknown> =>
  Promise.all(
    parts.flatMap(({ receipt }) => {
      if (!receipt) return []
      const corrections = receipt.limits.map(
        (limit): Correction => ({ receipt: limit, difference: -limit.charged }),
      )
      return [settle(deps, receipt, { corrections, startedNs, counters: [] })]
    }),
  )

const settlePart = async (
  deps: SettlingDependencies,
  part: ChargedPart,
  used: Cost,
  startedNs: bigint,
): Promise<void> => {
  const { bucket } = part.view.plan
  const { receipt } = part
  const corrections = (receipt?.limits ?? []).map((limit): Correction => {
    return { receipt: limit, difference: (used[limit.meter] ?? limit.charged) - limit.charged }
  })
  const isExact = corrections.every(({ difference }) => difference === 0)
  if (!receipt || isExact) {
    deps.tally.add(bucket, useOf(used), { isUse: true, nowNs: deps.clock.monotonic() })
    return
  }
  const pending = deps.tally.take(bucket)
  const counts = summed(pending?.counts ?? {}, useOf(used))
  await settle(deps, receipt, { corrections, startedNs, counters: countActions(counts) }, () => {
    deps.tally.add(bucket, counts, { isUse: true, nowNs: deps.clock.monotonic() })
  })
}

/** An amount that cannot be (below 0, not whole) tells nothing of its meter. */
const amountsIn = (actual: Cost): Cost =>
  Object.fromEntries(Object.entries(actual).filter(([, amount]) => isAmount(amount)))

type Ending = Pick<Parameters<typeof settleBucket>[1], 'corrections' | 'counters'> & {
  readonly startedNs: bigint
}

/** Never throws: what could not be settled stays charged, which errs towards denying. `onUnwritten`: surely not applied. */
const settle = async (
  deps: SettlingDependencies,
  receipt: Receipt,
  ending: Ending,
  onUnwritten?: () => void,
): Promise<void> => {
  const { corrections, counters, startedNs } = ending
  const now = deps.clock.now()
  const elapsed = [now - receipt.chargedAt, deps.clock.monotonic() - startedNs]
  const elapsedNs = elapsed.reduce((longest, ns) => (ns > longest ? ns : longest), 0n)
  try {
    await settleBucket(deps.writer, { receipt, corrections, counters, now, elapsedNs })
  } catch (error) {
    deps.metrics.count('refunds_lost')
    deps.logger.warn('a settlement was not written', { bucket: receipt.bucket, reason: String(error) })
    if (error instanceof StoreUnavailable && !error.mayHaveApplied) onUnwritten?.()
  }
}
