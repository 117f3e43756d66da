import type { RunLog } from '../run-log.ts'
import { sizeOfText, transitionNs } from '../schedule/schedule.ts'
import { unitOf } from './charged-first.ts'
import { usesOf, type Watched, watchedIn } from './uses.ts'

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
const transitionOf = ({ schedule, instances }: RunLog) => {
  const atNs = transitionNs(schedule)
  return {
    firstNs: atNs - Math.max(...instances.map(({ aheadNs }) => aheadNs[1])),
    lastNs: atNs - Math.min(...instances.map(({ aheadNs }) => aheadNs[0])) + schedule.tickNs,
  }
}

/** A node admits nothing that was sent after the transition by what it has charged before it, as a lease. */
const paidBefore = (log: RunLog, watched: Watched): readonly string[] => {
  const { firstNs, lastNs } = transitionOf(log)
  const { entityId, limit } = watched
  const charges = chargesOf(log, watched).filter(({ sentNs, tokens }) => sentNs >= firstNs && tokens > 0)
  const uses = usesOf(log, watched).filter(({ fromNs }) => fromNs >= lastNs)
  return log.instances.flatMap((_, instance) => {
    const charged = charges.reduce((sum, { by, tokens }) => (by === instance ? sum + tokens : sum), 0)
    const used = uses.reduce((sum, { by, amount }) => (by === instance ? sum + amount : sum), 0)
    if (used <= charged + ROUNDING) return []
    return [`${limit.name} of ${entityId}: ${used} used after the transition, ${charged} charged`]
  })
}

/** What was charged before the transition is not refunded after it. */
const refundedAfter = (log: RunLog, watched: Watched): readonly string[] => {
  const { firstNs, lastNs } = transitionOf(log)
  let charged = 0
  for (const { atNs, sentNs, tokens } of chargesOf(log, watched)) {
    if (sentNs >= (tokens > 0 ? firstNs : lastNs)) charged += tokens
    if (charged < -ROUNDING)
      return [
        `${watched.limit.name} of ${watched.entityId}: more refunded than charged since the transition at ${atNs / SECOND_NS} s`,
      ]
  }
  return []
}

/** What writes charged and, below 0, refunded. */
const chargesOf = ({ writes }: RunLog, { entityId, limit }: Watched) =>
  writes
    .filter((write) => write.entityId === entityId)
    .flatMap(({ atNs, sentNs, by, changes }) =>
      changes
        .filter((change) => change.limit === limit.name)
        .map(({ amount, text }) => ({ atNs, sentNs, by, tokens: amount / unitOf(sizeOfText(text)) })),
    )
