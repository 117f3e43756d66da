import type { RunLog } from '../run-log.ts'
import { isCalm, type PlannedLimit } from '../schedule/schedule.ts'
import { usesOf, type Watched, watchedIn } from './uses.ts'

const SECOND_NS = 1_000_000_000
/**
 * The required share of the allowed amount under steady demand above it: without failures, and with occasional failing
 * calls.
 */
const LEAST_CALM = 0.98
const LEAST_FAULTY = 0.5

/** The admitted share of the allowed amount under steady demand; undefined without it. */
export const shareUsed = (log: RunLog): number | undefined => {
  const [watched] = watchedIn(log)
  if (log.schedule.kind !== 'steady' || watched === undefined) return undefined
  const used = usesOf(log, watched).reduce((sum, { amount }) => sum + amount, 0)
  return used / (allowedIn(watched.limit.size, log.schedule.durationNs) + byChange(log, watched))
}

/** The change of the allowed amount when a token bucket's rate changes: every node reads the change within a second. */
const byChange = ({ schedule }: RunLog, { limit }: Watched): number => {
  const [change] = schedule.changes
  const size = change?.limits[0]?.size
  if (change === undefined || size?.kind !== 'bucket' || limit.size.kind !== 'bucket') return 0
  const more = size.capacity / size.fillsInSeconds - limit.size.capacity / limit.size.fillsInSeconds
  const seconds = (schedule.durationNs - change.atNs) / SECOND_NS
  return more * (more > 0 ? seconds - 1 : seconds)
}

/** Callers that send requests continuously receive everything that a limit allows. */
export const usedUp = (log: RunLog): readonly string[] => {
  const share = shareUsed(log)
  const least = isCalm(log.schedule) ? LEAST_CALM : LEAST_FAULTY
  if (share === undefined || share >= least) return []
  return [
    `${(100 * share).toFixed(2)} % of what is allowed was admitted, which is less than ${100 * least} %`,
  ]
}

/**
 * The bound of a sliding window, slots / (slots + 1) of the limit less 1 %, is 99/98 of the value returned here: a
 * sequence of windows, each one slot longer and each with the full limit. The last window is included; schedules leave
 * just enough time for it.
 */
const allowedIn = (size: PlannedLimit['size'], durationNs: number): number => {
  if (size.kind === 'bucket') return size.capacity * (1 + durationNs / (size.fillsInSeconds * SECOND_NS))
  if (size.kind === 'minute') return size.limit * Math.floor(durationNs / (60 * SECOND_NS))
  if (size.kind === 'run') return size.limit
  const { limit, seconds, slots } = size
  const windows = Math.round(durationNs / ((seconds * SECOND_NS * (slots + 1)) / slots))
  return (limit * windows * 0.99) / LEAST_CALM
}
