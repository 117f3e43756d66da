import type { RunLog } from '../run-log.ts'
import { transitionNs } from '../schedule/schedule.ts'
import { aheadOf, chargesOf, type Use, usesOf, type Watched, watchedIn } from './uses.ts'

const SECOND_NS = 1_000_000_000
const ROUNDING = 1e-6

/**
 * Limits with a schedule have another size from the transition on. What follows is checked for the time in which every clock
 * shows that moment, or has shown it.
 */
export const onTime = (log: RunLog): readonly string[] =>
  scheduledIn(log).flatMap((watched) => [...paidBefore(log, watched), ...refundedAfter(log, watched)])

const scheduledIn = (log: RunLog): readonly Watched[] =>
  watchedIn(log).filter(
    ({ entityId, limit }) =>
      limit.scheduled !== undefined && !log.schedule.changes.some(({ of }) => of === entityId),
  )

/** The times at which the first and the last of all clocks show the transition. */
const transitionOf = (log: RunLog) => {
  const atNs = transitionNs(log.schedule)
  const [leastNs, mostNs] = aheadOf(log)
  return { firstNs: atNs - mostNs, lastNs: atNs - leastNs + log.schedule.tickNs }
}

/** A node admits nothing that was sent after the transition by what it has charged before it, as a lease. */
const paidBefore = (log: RunLog, watched: Watched): readonly string[] => {
  const { firstNs, lastNs } = transitionOf(log)
  const { entityId, limit } = watched
  const charges = chargesOf(log, watched).filter(({ sentNs, amount }) => sentNs >= firstNs && amount > 0)
  const uses = usesOf(log, watched).filter(({ fromNs }) => fromNs >= lastNs)
  return log.instances.flatMap((_, instance) => {
    const charged = amountBy(charges, instance)
    const used = amountBy(uses, instance)
    if (used <= charged + ROUNDING) return []
    return [`${limit.name} of ${entityId}: ${used} used after the transition, ${charged} charged`]
  })
}

const amountBy = (items: readonly Pick<Use, 'by' | 'amount'>[], instance: number): number =>
  items.reduce((sum, { by, amount }) => (by === instance ? sum + amount : sum), 0)

/** What was charged before the transition is not refunded after it. */
const refundedAfter = (log: RunLog, watched: Watched): readonly string[] => {
  const { firstNs, lastNs } = transitionOf(log)
  let charged = 0
  for (const { atNs, sentNs, amount } of chargesOf(log, watched)) {
    if (sentNs >= (amount > 0 ? firstNs : lastNs)) charged += amount
    if (charged < -ROUNDING)
      return [
        `${watched.limit.name} of ${watched.entityId}: more refunded than charged since the transition at ${atNs / SECOND_NS} s`,
      ]
  }
  return []
}
