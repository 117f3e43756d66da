import type { RunLog } from '../run-log.ts'
import type { TableWrite } from '../world/table-log.ts'
import { type Watched, watchedIn } from './uses.ts'

/**
 * A bucket that a later version of a limit has charged never returns to an earlier version within its generation. After
 * a reset, the first charge determines the version.
 */
export const inOrder = (log: RunLog): readonly string[] =>
  watchedIn(log).flatMap((watched) => {
    const { entityId, limit } = watched
    const written = log.writes.filter((write) => write.entityId === entityId)
    return firstBack(written, watched).map(
      ({ atNs }) => `${limit.name} of ${entityId} goes back to an earlier version at ${atNs / 1e9} s`,
    )
  })

const firstBack = (writes: readonly TableWrite[], { limit }: Watched): readonly TableWrite[] => {
  let latest = 0
  for (const write of writes) {
    const previous = write.isReset ? 0 : latest
    latest = write.resized.find((change) => change.limit === limit.name)?.version ?? previous
    if (latest < previous) return [write]
  }
  return []
}
