import type { RunLog } from '../run-log.ts'

/**
 * The maximum time to a response, in ns of the node's running time: eight call deadlines, and eight more if limits
 * change and are read in between.
 */
const LATEST_NS = 2_000_000_000

/** No request waits forever, and none ends with an error. Requests to a node that crashed receive no response. */
export const answered = ({ asks, lives, errors, schedule }: RunLog): readonly string[] => {
  const latestNs = (schedule.changes.length > 0 ? 2 : 1) * LATEST_NS
  const waiting = asks.filter(({ answer, by }) => answer === undefined && lives[by]?.hasCrashed !== true)
  const late = asks.filter(
    ({ answer, askedNs }) => answer && answer.atNs - askedNs - answer.frozenNs > latestNs,
  )
  return [
    ...waiting.map(({ askedNs }) => `sent at ${askedNs / 1e9} s, without a response`),
    ...late.map(
      ({ askedNs, answer }) => `sent at ${askedNs / 1e9} s, response at ${(answer?.atNs ?? 0) / 1e9} s`,
    ),
    ...errors,
  ]
}
