import type { RunLog } from '../run-log.ts'
import { isCalm } from '../schedule/schedule.ts'
import {
  aheadOf,
  chargesOf,
  differenceNs,
  isChanged,
  touches,
  usesOf,
  type Watched,
  watchedIn,
} from './uses.ts'

const SECOND_NS = 1_000_000_000
const ROUNDING = 1e-6

/**
 * At any moment the table has charged, net of refunds, at least the use of all admitted requests: nothing is refunded
 * that was not charged, nothing is refunded twice, and nothing is admitted without a charge.
 */
export const chargedFirst = (log: RunLog): readonly string[] =>
  watchedIn(log).flatMap((watched) => {
    const steps = stepsOf(log, watched)
    let [charged, used] = [0, 0]
    for (const step of steps) {
      charged += step.charged
      used += step.used
      if (step.used > 0 && used > charged + ROUNDING)
        return [
          `${watched.limit.name} of ${watched.entityId}: ${used} used, ${charged} charged at ${step.atNs / SECOND_NS} s`,
        ]
    }
    return []
  })

interface Step {
  readonly atNs: number
  readonly charged: number
  readonly used: number
}

const stepsOf = (log: RunLog, watched: Watched): readonly Step[] => {
  const charges = chargesOf(log, watched).map(({ atNs, amount }) => ({ atNs, charged: amount, used: 0 }))
  const uses = usesOf(log, watched).map(({ toNs, amount }) => ({ atNs: toNs, charged: 0, used: amount }))
  // at equal times, writes to the table come first
  return [...charges, ...uses].sort((a, b) => a.atNs - b.atNs)
}

const sum = (items: readonly { readonly amount: number }[]): number =>
  items.reduce((total, { amount }) => total + amount, 0)

/**
 * At the end of a run the charged amount equals the used amount, for limits with full refunds, if no response was lost
 * after a write, no node crashed, nothing was reset, and no refund was reported as lost. If there were no faults at all,
 * the counters of use equal the reported use.
 */
export const nothingLeftOver = (log: RunLog): readonly string[] => {
  const left = isComplete(log) ? watchedIn(log).flatMap((watched) => leftOf(log, watched) ?? []) : []
  return isCalm(log.schedule) ? [...left, ...countsOff(log)] : left
}

const isComplete = ({ instances, writes, resets, lostRefunds }: RunLog): boolean =>
  lostRefunds + resets.length === 0 &&
  instances.every(({ hasCrashed }) => !hasCrashed) &&
  writes.every(({ end }) => end.isReceived)

const leftOf = (log: RunLog, watched: Watched): string | undefined => {
  // a charge made before a change remains
  if (!refundsInFull(log, watched) || isChanged(log, watched)) return undefined
  // shared buckets are charged only a part of what callers claim
  if (log.requests.some((request) => request.ending?.by !== undefined && touches(log, watched, request)))
    return undefined
  // if a request was admitted without one bucket, its other buckets are charged nevertheless
  if (log.requests.some((request) => request.response?.isDegraded && touches(log, watched, request)))
    return undefined
  const [charged, used] = [sum(chargesOf(log, watched)), sum(usesOf(log, watched)) + beyond(log, watched)]
  if (Math.abs(charged - used) <= 1e-3) return undefined
  return `${watched.limit.name} of ${watched.entityId}: ${charged} charged in the end, ${used} used`
}

/** A calendar minute refunds in full until it ends. */
const refundsInFull = (log: RunLog, { limit }: Watched): boolean => {
  const { schedule } = log
  if (limit.size.kind === 'bucket') return limit.refund === 'full'
  if (limit.size.kind === 'sliding') return false
  const length = schedule.durationNs + 15 * SECOND_NS
  if (limit.size.kind === 'run') return limit.size.seconds * SECOND_NS > length + differenceNs(log)
  const into = Number(schedule.startNs % BigInt(60 * SECOND_NS))
  const [least, most] = aheadOf(log)
  return into + least >= 0 && into + length + most < 60 * SECOND_NS
}

/** The reported use beyond the reservation. */
const beyond = (log: RunLog, watched: Watched): number =>
  log.requests
    .filter((request) => request.response?.isAllowed && touches(log, watched, request))
    .reduce(
      (total, { tokens, ending }) =>
        total + (watched.limit.meter !== 'requests' && ending ? Math.max(0, ending.tokens - tokens) : 0),
      0,
    )

const countsOff = (log: RunLog): readonly string[] =>
  log.schedule.entities.flatMap(({ id }) => {
    const admitted = log.requests.filter(
      (request) => request.response?.isAllowed && touches(log, { entityId: id }, request),
    )
    const counted = log.writes
      .filter(({ entityId }) => entityId === id)
      .reduce((total, { used }) => total + (used.tokens ?? 0), 0)
    if (admitted.some(({ ending }) => ending?.by !== undefined)) return []
    const tokens = admitted.reduce((total, request) => total + reportedOf(request), 0)
    return counted === tokens ? [] : [`${id}: ${counted} tokens counted as used, ${tokens} reported`]
  })

/** The reported use: at the decision or at the settlement; 0 if the reservation was released or never settled. */
const reportedOf = ({ tokens, ending, settles }: RunLog['requests'][number]): number => {
  if (!settles) return tokens
  return ending?.tokens ?? 0
}
