import type { RunLog } from '../run-log.ts'
import { scaledSize } from '../schedule/draw-entities.ts'
import { type PlannedLimit, sizeOfText } from '../schedule/schedule.ts'
import type { TableWrite } from '../world/table-log.ts'
import { isInOneRun, type RunWindow, windowsOf } from './runs.ts'
import { refundsOf, worstOf } from './spans.ts'
import { aheadOf, betweenResets, differenceNs, leaseNsOf, type Use, usesOf, type Watched } from './uses.ts'

const SECOND_NS = 1_000_000_000
const MINUTE_NS = 60 * SECOND_NS
/** Rounding errors of sums of doubles. */
const ROUNDING = 1e-6

type Size = PlannedLimit['size']

/** The period in which the bucket had one size of a limit. */
interface Period {
  readonly fromNs: number
  /** The node may have read its clock this long before the write; from then on tokens refill at the present rate. */
  readonly decidedNs: number
  readonly size: Size
}

/** The bounds on a span, for all sizes that the bucket had in it: the amount in use, and the refill. */
interface Bound {
  readonly capacity: number
  readonly refilled: number
  readonly fastestPerNs: number
  readonly changes: number
  readonly decidedNs: number
}

/**
 * A change carries over the amount in use. Across changes, the amount in use is therefore at most the largest size that
 * the bucket had in the span, plus what token buckets refilled in their periods. Spans must lie within each window and
 * minute of the other algorithms.
 */
export const overChanges = (log: RunLog, watched: Watched): readonly string[] => {
  const { entityId, limit } = watched
  const refunds = refundsOf(log, watched)
  const periods = periodsOf(log, watched)
  const windows = windowsOf(log, watched, firstSize(limit))
  if (limit.refund === 'full' && refunds.count > 0) return []
  const slackNs = leaseNsOf(log) + differenceNs(log)
  const overIn =
    (generation: number) =>
    (begin: number, used: number, endNs: number): number => {
      const present = windows.filter((window) => window.generation === generation)
      const bound = boundOf({ log, periods, windows: present, slackNs }, begin - slackNs, endNs)
      if (bound === undefined) return 0
      const lateNs = slackNs * bound.changes + bound.decidedNs + refunds.underWayNs(begin, endNs)
      return used - bound.capacity - bound.refilled - bound.fastestPerNs * lateNs
    }
  return betweenResets(log, watched, usesOf(log, watched), slackNs).flatMap((uses, generation) =>
    worstIn(uses, overIn(generation)).map(
      ({ fromNs, endNs, by }) =>
        `${limit.name} of ${entityId}, changed: ${by.toFixed(3)} over from ${fromNs / SECOND_NS} s to ${endNs / SECOND_NS} s`,
    ),
  )
}

const worstIn = (uses: readonly Use[], over: (begin: number, used: number, endNs: number) => number) => {
  for (const { fromNs } of uses) {
    const worst = worstOf(uses, fromNs, (used, endNs) => over(fromNs, used, endNs))
    if (worst.over > ROUNDING) return [{ fromNs, endNs: worst.endNs, by: worst.over }]
  }
  return []
}

const periodsOf = (log: RunLog, { entityId, limit }: Watched): readonly Period[] => [
  { fromNs: Number.NEGATIVE_INFINITY, decidedNs: 0, size: firstSize(limit) },
  ...log.writes
    .filter((write) => write.entityId === entityId)
    .flatMap((write) =>
      write.resized
        .filter((change) => change.limit === limit.name)
        .map(({ text }) => ({
          fromNs: write.atNs,
          decidedNs: write.atNs - oldestPendingNsOf(log, write),
          size: sizeOfText(text),
        })),
    ),
]

/** Of a limit that is scheduled to be larger or smaller at first. */
const firstSize = ({ size, scheduled }: PlannedLimit): Size =>
  scheduled?.when === 'before' ? scaledSize(size, scheduled.factor) : size

/** When the oldest of the requests that were pending on the node as it sent the write had been sent. */
const oldestPendingNsOf = ({ requests }: RunLog, { by, sentNs }: TableWrite): number =>
  requests.reduce(
    (first, { by: instance, requestedNs, response }) =>
      instance === by && requestedNs < first && (response === undefined || response.atNs >= sentNs)
        ? requestedNs
        : first,
    sentNs,
  )

/** Undefined: no window contains the span, or a minute ends in it by some clock. */
const boundOf = (history: History, fromNs: number, toNs: number): Bound | undefined => {
  const { periods } = history
  let bound: Bound = { capacity: 0, refilled: 0, fastestPerNs: 0, changes: 0, decidedNs: 0 }
  for (const [index, { fromNs: begun, size, decidedNs }] of periods.entries()) {
    const [begin, end] = [
      Math.max(fromNs, begun),
      Math.min(toNs, periods[index + 1]?.fromNs ?? Number.POSITIVE_INFINITY),
    ]
    if (begin > end) continue
    if (!isWithin(history, size, fromNs, toNs)) return undefined
    const perNs = size.kind === 'bucket' ? size.capacity / (size.fillsInSeconds * SECOND_NS) : 0
    bound = {
      capacity: Math.max(bound.capacity, size.kind === 'bucket' ? size.capacity : size.limit),
      refilled: bound.refilled + perNs * (end - begin),
      fastestPerNs: Math.max(bound.fastestPerNs, perNs),
      changes: bound.changes + 1,
      decidedNs: bound.decidedNs + decidedNs,
    }
  }
  return bound
}

/** The sizes of a limit, and its windows that began with a charge. */
interface History {
  readonly log: RunLog
  readonly periods: readonly Period[]
  readonly windows: readonly RunWindow[]
  /** By which spans are longer than what they admitted. */
  readonly slackNs: number
}

const isWithin = ({ log, windows, slackNs }: History, size: Size, fromNs: number, toNs: number): boolean => {
  const { schedule } = log
  // no node spends a lease of an earlier window once its clock has reached this one
  if (size.kind === 'run') return isInOneRun(log, windows, fromNs + slackNs, toNs)
  if (size.kind === 'bucket') return true
  if (size.kind === 'sliding') return toNs - fromNs < size.seconds * SECOND_NS
  const start = Number(schedule.startNs % BigInt(MINUTE_NS))
  const [least, most] = aheadOf(log)
  const firstMinute = Math.floor((start + fromNs + least - schedule.tickNs) / MINUTE_NS)
  return firstMinute === Math.floor((start + toNs + most) / MINUTE_NS)
}
