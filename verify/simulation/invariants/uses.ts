import type { LoggedRequest, RunLog } from '../run-log.ts'
import { type PlannedLimit, type PlannedPolicy, sizeOfText } from '../schedule/schedule.ts'

/**
 * The actual use of one limit by an admitted request. Times are ns since the start of the schedule. It was charged in
 * between, or before by a lease.
 */
export interface Use {
  readonly fromNs: number
  readonly toNs: number
  readonly amount: number
  /** The node instance that admitted it. */
  readonly by: number
}

/** One limit of one bucket. */
export interface Watched {
  /** As in responses: an entity's id, or `POLICY:<scope>:<selector>`. */
  readonly entityId: string
  /** The limit at the start of the schedule. */
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

/** Whether the limit is replaced during the schedule, or has a schedule. */
export const isChanged = ({ schedule }: RunLog, { entityId, limit }: Watched): boolean =>
  limit.scheduled !== undefined || schedule.changes.some(({ of }) => of === entityId)

/** How far the clocks of all instances were ahead of the true time, in ns: the least and the most of all of them. */
export const aheadOf = ({ instances }: RunLog): readonly [leastNs: number, mostNs: number] => [
  Math.min(...instances.map(({ aheadNs }) => aheadNs[0])),
  Math.max(...instances.map(({ aheadNs }) => aheadNs[1])),
]

/** The maximum difference between clocks in ns, including the tick of the wall clock. */
export const differenceNs = (log: RunLog): number => {
  const [leastNs, mostNs] = aheadOf(log)
  return mostNs - leastNs + log.schedule.tickNs
}

/** What writes charged and, below 0, refunded, in tokens or requests. */
export const chargesOf = ({ writes }: RunLog, { entityId, limit }: Watched) =>
  writes
    .filter((write) => write.entityId === entityId)
    .flatMap(({ atNs, sentNs, by, changes }) =>
      changes
        .filter((change) => change.limit === limit.name)
        .map(({ amount, text }) => ({ atNs, sentNs, by, amount: amount / unitOf(sizeOfText(text)) })),
    )

/** The amount by which the table's number changes for one token or one request. */
export const unitOf = (size: PlannedLimit['size']): number =>
  size.kind === 'bucket' ? (size.fillsInSeconds * 1e9) / size.capacity : 1

/**
 * The use of a limit by admitted requests, in order of their responses. Use beyond the reservation is not included: it
 * can no longer be denied.
 */
export const usesOf = (log: RunLog, watched: Watched): readonly Use[] =>
  log.requests.flatMap((request) => useOf(log, watched, request) ?? []).sort((a, b) => a.toNs - b.toNs)

const useOf = (log: RunLog, watched: Watched, request: LoggedRequest): Use | undefined => {
  const { response, requestedNs, by } = request
  if (!response?.isAllowed || response.isDegraded || !touches(log, watched, request)) return undefined
  return { fromNs: requestedNs, toNs: response.atNs, amount: usedOf(watched.limit.meter, request), by }
}

/** Whether the bucket applies to the request: it belongs to the caller, to its parent, or to a policy. */
export const touches = (
  { schedule }: Pick<RunLog, 'schedule'>,
  { entityId }: Pick<Watched, 'entityId'>,
  request: Pick<LoggedRequest, 'entityId' | 'user' | 'session'>,
): boolean => {
  if (request.entityId === entityId) return true
  const policy = schedule.policies.find(({ id }) => id === entityId)
  if (policy) return policy.callers.includes(request.entityId) && isNamed(policy, request)
  return schedule.entities.some(({ id, parentId }) => id === request.entityId && parentId === entityId)
}

/** Whether it is the bucket of the user, or the session, that the request names. */
const isNamed = (
  { named }: PlannedPolicy,
  { user, session }: Pick<LoggedRequest, 'user' | 'session'>,
): boolean => named === undefined || named.name === (named.scope === 'USER' ? user : session)

const usedOf = (meter: PlannedLimit['meter'], { tokens, ending }: LoggedRequest): number => {
  if (meter === 'output_tokens') return 0
  if (meter === 'requests') return ending === undefined ? 1 : Math.min(1, ending.requests)
  // a token costs a micro-dollar
  return ending === undefined ? tokens : Math.min(tokens, ending.tokens)
}

/** The times at which a new generation of the bucket began. */
const resetsOf = ({ writes }: RunLog, entityId: string): readonly number[] =>
  writes.flatMap((write) => (write.isReset && write.entityId === entityId ? [write.atNs] : []))

/** The uses between resets. Leases from before a reset may be spent until they expire. */
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

/** How long an amount charged in advance may be spent, ns. */
export const leaseNsOf = ({ schedule }: RunLog): number => schedule.leaseTtlMs * 1_000_000
