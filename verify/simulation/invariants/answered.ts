import type { RunLog } from '../run-log.ts'

/** Every request is answered, in so many ns for which its node did not stand still: eight deadlines of calls. */
const LATEST_NS = 2_000_000_000

/** No request waits for ever, and none ends with an error. Those asked of a node that crashed have no answer to wait for. */
export const answered = ({ asks, lives, errors }: RunLog): readonly string[] => {
  const waiting = asks.filter(({ answer, by }) => answer === undefined && lives[by]?.hasCrashed !== true)
  const late = asks.filter(
    ({ answer, askedNs }) => answer && answer.atNs - askedNs - answer.frozenNs > LATEST_NS,
  )
  const degraded = asks.filter(({ answer }) => answer?.isAllowed && answer.isDegraded)
  return [
    ...waiting.map(({ askedNs }) => `asked at ${askedNs / 1e9} s, never answered`),
    ...late.map(
      ({ askedNs, answer }) => `asked at ${askedNs / 1e9} s, answered at ${(answer?.atNs ?? 0) / 1e9} s`,
    ),
    ...degraded.map(
      ({ askedNs }) => `asked at ${askedNs / 1e9} s, admitted without the table, which limits forbid`,
    ),
    ...errors,
  ]
}
