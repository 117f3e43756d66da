import type { RunLog } from '../run-log.ts'
import type { Use, Watched } from './uses.ts'

/** The worst among all spans that begin at `begin`. */
export const worstOf = (
  uses: readonly Use[],
  begin: number,
  overAt: (used: number, endNs: number) => number,
): { readonly over: number; readonly endNs: number } => {
  let worst = { over: 0, endNs: begin }
  let used = 0
  for (const { fromNs, toNs, amount } of uses) {
    if (fromNs < begin) continue
    used += amount
    const over = overAt(used, toNs)
    if (over > worst.over) worst = { over, endNs: toNs }
  }
  return worst
}

/** The number of refunds, and the total delay of those that arrived in a span. */
export const refundsOf = ({ writes }: RunLog, { entityId, limit }: Watched) => {
  const refunds = writes
    .filter(
      (write) =>
        write.entityId === entityId &&
        write.changes.some((change) => change.limit === limit.name && change.amount < 0),
    )
    .map(({ atNs, sentNs }) => ({ atNs, ns: atNs - sentNs }))
  return {
    count: refunds.length,
    underWayNs: (begin: number, end: number): number =>
      refunds.reduce((sum, { atNs, ns }) => (atNs >= begin && atNs <= end ? sum + ns : sum), 0),
  }
}
