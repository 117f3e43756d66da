import type { RunLog } from '../run-log.ts'

/**
 * Every request is answered, in so many ns for which its node did not stand still: eight deadlines of calls, and eight more where
 * limits change, and are read in between.
 */
const LATEST_NS = 2_000_000_000

/** No request waits for ever, and none ends with an error. Those asked of a node that crashed have no answer to wait for. */
export const answered = ({ asks, lives, errors, schedule }: RunLog): readonly string[] => {
  const latestNs = (schedule.changes.length > 0 ? 2 : 1) * LATEST_NS
  const waiting = asks.filter(({ answer, by }) => answer === undefined && lives[by]?.hasCrashed !== true)
  const late = asks.filter(
    ({ answer, askedNs }) => answer && answer.atNs - askedNs - answer.frozenNs > latestNs,
  )
  return [
    ...waiting.map(({ askedNs }) => `asked at ${askedNs / 1e9} s, never answered`),
    ...late.map(
      ({ askedNs, answer }) => `asked at ${askedNs / 1e9} s, answered at ${(answer?.atNs ?? 0) / 1e9} s`,
    ),
    ...errors,
  ]
}
