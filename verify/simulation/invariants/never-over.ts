import type { RunLog } from '../run-log.ts'
import type { PlannedLimit } from '../schedule/schedule.ts'
import { overChanges } from './over-changes.ts'
import { overRuns } from './runs.ts'
import { refundsOf, worstOf } from './spans.ts'
import {
  aheadOf,
  betweenResets,
  differenceNs,
  isChanged,
  leaseNsOf,
  type Use,
  usesOf,
  type Watched,
  watchedIn,
} from './uses.ts'

const SECOND_NS = 1_000_000_000
const MINUTE_NS = 60 * SECOND_NS
/** Rounding errors of sums of doubles. */
const ROUNDING = 1e-6

/**
 * The admitted amount is within the limits. A span counts the requests that were both sent and decided in it: however
 * the limiter works, it charged them in that span, or shortly before it by a lease.
 */
export const neverOver = (log: RunLog): readonly string[] =>
  watchedIn(log).flatMap((watched) => {
    if (isChanged(log, watched)) return overChanges(log, watched)
    return overBy(log, watched, usesOf(log, watched))
  })

/** How far these uses exceed their bounds. */
export const overBy = (log: RunLog, watched: Watched, uses: readonly Use[]): readonly string[] => {
  const { size } = watched.limit
  if (size.kind === 'minute') return overMinutes(log, watched, size, uses)
  if (size.kind === 'run') return overRuns(log, watched, size, uses)
  const spans = betweenResets(log, watched, uses, leaseNsOf(log) + differenceNs(log))
  return spans.flatMap((each) =>
    size.kind === 'bucket' ? overSpans(log, watched, size, each) : overWindows(log, watched, size, each),
  )
}

type Size<Kind> = Extract<PlannedLimit['size'], { readonly kind: Kind }>

const named = ({ entityId, limit }: Watched): string => `${limit.name} of ${entityId}`
const seconds = (ns: number): string => `${(ns / SECOND_NS).toFixed(4)} s`

/**
 * capacity + rate × (T + lease lifetime + clock difference): a leased amount was charged at most a lease lifetime before
 * it is spent, and a node whose clock is ahead charges the refill of that difference. A refund that is delayed also
 * returns an amount that has refilled meanwhile, so its delay is added to the span.
 */
const overSpans = (
  log: RunLog,
  watched: Watched,
  size: Size<'bucket'>,
  uses: readonly Use[],
): readonly string[] => {
  const perNs = size.capacity / (size.fillsInSeconds * SECOND_NS)
  const slackNs = leaseNsOf(log) + differenceNs(log)
  const refunds = refundsOf(log, watched)
  // `refund: "full"` also returns what has already refilled; this bound allows for that
  if (watched.limit.refund === 'full' && refunds.count > 0) return []
  for (const { fromNs: begin } of uses) {
    const ended = worstOf(uses, begin, (used, endNs) => {
      const allowed = size.capacity + perNs * (endNs - begin + slackNs + refunds.underWayNs(begin, endNs))
      return used - allowed
    })
    if (ended.over > ROUNDING)
      return [
        `${named(watched)}: ${ended.over.toFixed(3)} over from ${seconds(begin)} to ${seconds(ended.endNs)}`,
      ]
  }
  return []
}

/** The limit, in every window reduced by the lease lifetime and the clock difference. */
const overWindows = (
  log: RunLog,
  watched: Watched,
  size: Size<'sliding'>,
  uses: readonly Use[],
): readonly string[] => {
  const windowNs = size.seconds * SECOND_NS - leaseNsOf(log) - differenceNs(log)
  for (const { fromNs: begin } of uses) {
    const ended = worstOf(uses, begin, (used, endNs) => (endNs - begin < windowNs ? used - size.limit : 0))
    if (ended.over > 0)
      return [`${named(watched)}: ${ended.over} over from ${seconds(begin)} to ${seconds(ended.endNs)}`]
  }
  return []
}

/**
 * The limit, in each minute by the clock of the charging node: counts requests that were sent after that clock had
 * entered the minute and decided before any clock had left it.
 */
const overMinutes = (
  log: RunLog,
  watched: Watched,
  { limit }: Size<'minute'>,
  uses: readonly Use[],
): readonly string[] => {
  const start = Number(log.schedule.startNs % BigInt(MINUTE_NS))
  const [, latest] = aheadOf(log)
  const used = new Map<number, number>()
  const leaseNs = leaseNsOf(log) + differenceNs(log)
  // in a minute with a reset, both generations count
  for (const each of betweenResets(log, watched, uses, leaseNs)
    .toSorted((a, b) => b.length - a.length)
    .slice(0, 1))
    for (const { fromNs, toNs, amount, by } of each) {
      const least = log.instances[by]?.aheadNs[0] ?? 0
      const minute = Math.floor((start + fromNs + least - log.schedule.tickNs) / MINUTE_NS)
      if (Math.floor((start + toNs + latest) / MINUTE_NS) === minute)
        used.set(minute, (used.get(minute) ?? 0) + amount)
    }
  return [...used].flatMap(([minute, amount]) =>
    amount > limit ? [`${named(watched)}: ${amount - limit} over in minute ${minute}`] : [],
  )
}
