import type { RunLog } from '../run-log.ts'

/**
 * The maximum time to a response, in ns of the node's running time: eight call deadlines, and eight more if limits
 * change and are read in between.
 */
const LATEST_NS = 2_000_000_000

/** No request waits forever, and none ends with an error. Requests to a node that crashed receive no response. */
export const alwaysResponds = ({ requests, instances, errors, schedule }: RunLog): readonly string[] => {
  const latestNs = (schedule.changes.length > 0 ? 2 : 1) * LATEST_NS
  const waiting = requests.filter(
    ({ response, by }) => response === undefined && instances[by]?.hasCrashed !== true,
  )
  const late = requests.filter(
    ({ response, requestedNs }) => response && response.atNs - requestedNs - response.frozenNs > latestNs,
  )
  return [
    ...waiting.map(({ requestedNs }) => `sent at ${requestedNs / 1e9} s, without a response`),
    ...late.map(
      ({ requestedNs, response }) =>
        `sent at ${requestedNs / 1e9} s, response at ${(response?.atNs ?? 0) / 1e9} s`,
    ),
    ...errors,
  ]
}
