import type { RunLog } from '../run-log.ts'
import { type PlannedLimit, sizeOfText } from '../schedule/schedule.ts'
import type { TableWrite } from '../world/table-log.ts'
import { aheadOf, betweenResets, differenceNs, leaseNsOf, type Use, type Watched } from './uses.ts'

const SECOND_NS = 1_000_000_000

/** A window from its first charge on, as the table states it; by the clock of the node that began it. */
export interface RunWindow {
  /** ns since the start of the schedule */
  readonly beginNs: number
  readonly endNs: number
  /** How often the bucket had been reset. */
  readonly generation: number
}

/**
 * The windows that writes to the bucket began, while its limit was of this kind. With another length, a window that goes on is
 * stated anew. What is in use counts in the latest window, so those before it last no longer than it does.
 */
export const windowsOf = (
  { writes, schedule }: RunLog,
  { entityId, limit }: Watched,
  first: PlannedLimit['size'],
): readonly RunWindow[] => {
  let found: readonly RunWindow[] = []
  let [size, generation] = [first, 0]
  for (const write of writes.filter((each) => each.entityId === entityId)) {
    if (write.isReset) generation++
    const resized = write.resized.find((change) => change.limit === limit.name)
    if (resized !== undefined) size = sizeOfText(resized.text)
    if (size.kind !== 'run') continue
    const present = found.findLast((window) => window.generation === generation)
    const beginNs = begunBy(write, limit.name, schedule.startNs) ?? keptBy(write, limit.name, present)
    if (beginNs === undefined) continue
    const endNs = beginNs + size.seconds * SECOND_NS
    found = [...found.map((window) => endedBy(window, endNs, generation)), { beginNs, endNs, generation }]
  }
  return found
}

/** When the window that the write began does so; a write that removes the window states 0. */
const begunBy = ({ windows }: TableWrite, name: string, startNs: bigint): number | undefined => {
  const begun = windows[name] ?? 0n
  return begun > 0n ? Number(begun - startNs) : undefined
}

/** When the present window began, if the write changes its length and carries over what is in use. */
const keptBy = (write: TableWrite, name: string, present: RunWindow | undefined): number | undefined => {
  const isResized = write.resized.some((change) => change.limit === name)
  return isResized && (write.states[name] ?? 0n) > 0n ? present?.beginNs : undefined
}

const endedBy = (window: RunWindow, endNs: number, generation: number): RunWindow =>
  window.generation === generation ? { ...window, endNs: Math.min(window.endNs, endNs) } : window

/**
 * The limit in each window, for requests that were sent when the node's own clock had reached it, and decided before any clock
 * had left it; and windows begin at least their length apart.
 */
export const overRuns = (
  log: RunLog,
  watched: Watched,
  size: Extract<PlannedLimit['size'], { readonly kind: 'run' }>,
  uses: readonly Use[],
): readonly string[] => {
  const windows = windowsOf(log, watched, size)
  const name = `${watched.limit.name} of ${watched.entityId}`
  const groups = betweenResets(log, watched, uses, leaseNsOf(log) + differenceNs(log))
  const tooEarly = windows.filter((window, index) => {
    const before = windows[index - 1]
    return before?.generation === window.generation && before.endNs > window.beginNs
  })
  return [
    ...tooEarly.map(({ beginNs }) => `${name}: a window begins at ${beginNs / SECOND_NS} s, within another`),
    ...windows.flatMap((window) => {
      const used = usedWithin(log, window, groups[window.generation] ?? [])
      return used > size.limit
        ? [`${name}: ${used - size.limit} over in the window from ${window.beginNs / SECOND_NS} s on`]
        : []
    }),
  ]
}

const usedWithin = (log: RunLog, { beginNs, endNs }: RunWindow, uses: readonly Use[]): number => {
  const [, latest] = aheadOf(log)
  return uses.reduce((sum, { fromNs, toNs, by, amount }) => {
    const least = (log.instances[by]?.aheadNs[0] ?? 0) - log.schedule.tickNs
    return fromNs + least >= beginNs && toNs + latest < endNs ? sum + amount : sum
  }, 0)
}

/** Whether some window contains the span by every clock. */
export const isInOneRun = (
  log: RunLog,
  windows: readonly RunWindow[],
  fromNs: number,
  toNs: number,
): boolean => {
  const [least, most] = aheadOf(log)
  const firstNs = fromNs + least - log.schedule.tickNs
  return windows.some(({ beginNs, endNs }) => firstNs >= beginNs && toNs + most < endNs)
}
