import type { LoggedAsk, RunLog } from '../run-log.ts'
import type { PlannedLimit } from '../schedule/schedule.ts'

/** What a request that was admitted really used of one limit. ns since the schedule began: charged in between, or before by a lease. */
export interface Use {
  readonly fromNs: number
  readonly toNs: number
  readonly amount: number
  /** Which life of a node admitted it. */
  readonly by: number
}

/** One limit of one bucket. */
export interface Watched {
  /** As answers name it: an entity's id, or `POLICY:<scope>:<selector>`. */
  readonly entityId: string
  /** As it is first. */
  readonly limit: PlannedLimit
}

/** All limits that deny. */
export const watchedIn = (log: RunLog): readonly Watched[] =>
  allLimits(log).filter(({ limit }) => limit.mode === undefined)

/** All limits that only warn. */
export const softIn = (log: RunLog): readonly Watched[] =>
  allLimits(log).filter(({ limit }) => limit.mode !== undefined)

const allLimits = ({ schedule }: RunLog): readonly Watched[] =>
  [...schedule.entities, ...schedule.policies].flatMap(({ id, limits }) =>
    limits.map((limit) => ({ entityId: id, limit })),
  )

/** Whether the limit is replaced by another while it is charged. */
export const isChanged = ({ schedule }: RunLog, { entityId }: Watched): boolean =>
  schedule.changes.some(({ of }) => of === entityId)

/** By how much clocks differed at most, ns, the tick of the wall clock included. */
export const differenceNs = ({ schedule, lives }: RunLog): number =>
  Math.max(...lives.map(({ aheadNs }) => aheadNs[1])) -
  Math.min(...lives.map(({ aheadNs }) => aheadNs[0])) +
  schedule.tickNs

/**
 * What admitted requests used of a limit, in order of their answers. What is used beyond what was reserved is no use here: it
 * cannot be denied any more.
 */
export const usesOf = (log: RunLog, watched: Watched): readonly Use[] =>
  log.asks.flatMap((ask) => useOf(log, watched, ask) ?? []).sort((a, b) => a.toNs - b.toNs)

const useOf = (log: RunLog, watched: Watched, ask: LoggedAsk): Use | undefined => {
  const { answer, askedNs, by } = ask
  if (!answer?.isAllowed || answer.isDegraded || !touches(log, watched, ask)) return undefined
  return { fromNs: askedNs, toNs: answer.atNs, amount: usedOf(watched.limit.meter, ask), by }
}

/** Whether a request meets the bucket: it is the caller's own, its parent's, or a policy's. */
export const touches = (
  { schedule }: RunLog,
  { entityId }: Pick<Watched, 'entityId'>,
  ask: Pick<LoggedAsk, 'entityId'>,
): boolean => {
  if (ask.entityId === entityId) return true
  const policy = schedule.policies.find(({ id }) => id === entityId)
  if (policy) return policy.callers.includes(ask.entityId)
  return schedule.entities.some(({ id, parentId }) => id === ask.entityId && parentId === entityId)
}

const usedOf = (meter: PlannedLimit['meter'], { tokens, ending }: LoggedAsk): number => {
  if (meter === 'output_tokens') return 0
  const reserved = meter === 'tokens' ? tokens : 1
  return ending === undefined ? reserved : Math.min(reserved, ending[meter])
}

/** Moments at which a bucket began a new life. */
const resetsOf = ({ writes }: RunLog, entityId: string): readonly number[] =>
  writes.flatMap((write) => (write.isReset && write.entityId === entityId ? [write.atNs] : []))

/** The uses between resets. After one, leases from before may be spent for as long as they live. */
export const betweenResets = (
  log: RunLog,
  { entityId }: Watched,
  uses: readonly Use[],
  leaseNs: number,
): readonly (readonly Use[])[] => {
  const resets = resetsOf(log, entityId)
  return [...resets, Number.POSITIVE_INFINITY].map((end, index) => {
    const begin = index === 0 ? 0 : (resets[index - 1] ?? 0) + leaseNs
    return uses.filter(({ fromNs, toNs }) => fromNs >= begin && toNs <= end)
  })
}

/** ns for which what was charged ahead may be spent. */
export const leaseNsOf = ({ schedule }: RunLog): number => schedule.leaseTtlMs * 1_000_000
