import type { LoggedRequest, RunLog } from '../run-log.ts'
import type { PlannedLimit } from '../schedule/schedule.ts'
import { refundsOf } from './spans.ts'
import { aheadOf, differenceNs, isChanged, leaseNsOf, touches, type Watched, watchedIn } from './uses.ts'

const SECOND_NS = 1_000_000_000
const MINUTE_NS = 60 * SECOND_NS
const ROUNDING = 1e-6

/**
 * Use that callers claim is charged to their own buckets and to no others. For shared buckets: none is ever in debt, no
 * meter that was not reserved is counted, and the counted use is at most what the callers' own limits together allow.
 * Buckets charged in full by an administrator, or by the process that received the request, are excluded.
 */
export const callersBounded = (log: RunLog): readonly string[] =>
  sharedIn(log).flatMap((id) => {
    const callers = callersOf(log, id)
    const requests = log.requests.filter(({ entityId }) => callers.includes(entityId))
    if (requests.some(isChargedInFull)) return []
    return [
      ...debtsOf(log, id),
      ...unreservedIn(log, id),
      ...METERS.flatMap((meter) => overOwn(log, id, meter)),
    ]
  })

const METERS = ['tokens', 'requests'] as const

const sharedIn = ({ schedule }: RunLog): readonly string[] => [
  ...schedule.entities
    .filter(({ id }) => schedule.entities.some(({ parentId }) => parentId === id))
    .map(({ id }) => id),
  ...schedule.policies.map(({ id }) => id),
]

const callersOf = (log: RunLog, id: string): readonly string[] =>
  log.schedule.entities
    .map((entity) => entity.id)
    .filter((entityId) => entityId !== id && mayTouch(log, id, entityId))

/** Whether some request of the entity may be charged to the bucket. */
const mayTouch = (log: RunLog, id: string, entityId: string): boolean =>
  log.schedule.policies.find((policy) => policy.id === id)?.callers.includes(entityId) ??
  touches(log, { entityId: id }, { entityId })

/** Settled above the reservation, and not by the caller. */
const isChargedInFull = ({ ending, tokens }: LoggedRequest): boolean =>
  ending !== undefined && ending.by !== 'caller' && (ending.by === 'admin' || ending.tokens > tokens)

const limitsOf = (log: RunLog, id: string): readonly Watched[] =>
  watchedIn(log).filter((watched) => watched.entityId === id && !isChanged(log, watched))

/** By the clock that is furthest ahead; a calendar window never contains more than its limit. */
const debtsOf = (log: RunLog, id: string): readonly string[] =>
  limitsOf(log, id).flatMap(({ limit }) =>
    log.writes
      .filter(({ entityId, states }) => entityId === id && states[limit.name] !== undefined)
      .filter(({ states, atNs }) => isOver(log, limit, states[limit.name] ?? 0n, atNs))
      .slice(0, 1)
      .map(({ atNs }) => `${limit.name} of ${id} is in debt at ${atNs / SECOND_NS} s`),
  )

const isOver = (log: RunLog, { size }: PlannedLimit, state: bigint, atNs: number): boolean => {
  if (size.kind === 'sliding') return false
  if (size.kind === 'minute' || size.kind === 'run') return Number(state) > size.limit
  const [, ahead] = aheadOf(log)
  const fullNs = Number(state - log.schedule.startNs)
  return fullNs > atNs + ahead + log.schedule.tickNs + size.fillsInSeconds * SECOND_NS
}

const unreservedIn = (log: RunLog, id: string): readonly string[] => {
  const counted = usedOf(log, id, 'output_tokens')
  return counted === 0 ? [] : [`${id}: ${counted} output tokens are counted, which nobody reserved`]
}

const usedOf = ({ writes }: RunLog, id: string, meter: string): number =>
  writes.filter(({ entityId }) => entityId === id).reduce((sum, { used }) => sum + (used[meter] ?? 0), 0)

const overOwn = (log: RunLog, id: string, meter: PlannedLimit['meter']): readonly string[] => {
  const allowed = callersOf(log, id).map((caller) => allowedTo(log, caller, meter))
  const most = allowed.reduce((sum, each) => sum + each, 0)
  const used = usedOf(log, id, meter)
  return used > most + ROUNDING
    ? [`${id}: ${used} ${meter} are counted, of ${most} that its callers' own limits allow`]
    : []
}

/** The amount that the strictest own limit allows over the whole run; infinite if no limit applies throughout. */
const allowedTo = (log: RunLog, caller: string, meter: PlannedLimit['meter']): number => {
  const isReset = log.writes.some(({ entityId, isReset }) => isReset && entityId === caller)
  const isAdmittedWithout = log.requests.some(
    ({ entityId, response }) => entityId === caller && response?.isAllowed && response.isDegraded,
  )
  if (isReset || isAdmittedWithout) return Number.POSITIVE_INFINITY
  const own = limitsOf(log, caller).filter(({ limit }) => limit.meter === meter && limit.refund === 'strict')
  return Math.min(Number.POSITIVE_INFINITY, ...own.map((watched) => allowedBy(log, watched)))
}

const allowedBy = (log: RunLog, watched: Watched): number => {
  const { size } = watched.limit
  const lastNs = Math.max(0, ...log.writes.map(({ atNs }) => atNs))
  const slackNs = leaseNsOf(log) + differenceNs(log)
  const backNs = refundsOf(log, watched).underWayNs(0, lastNs)
  const ns = lastNs + slackNs + backNs
  if (size.kind === 'bucket') return size.capacity * (1 + ns / (size.fillsInSeconds * SECOND_NS))
  if (size.kind === 'minute') return size.limit * (2 + Math.floor(ns / MINUTE_NS))
  if (size.kind === 'run') return size.limit * (2 + Math.floor(ns / (size.seconds * SECOND_NS)))
  const windowNs = size.seconds * SECOND_NS - slackNs
  return windowNs > 0 ? size.limit * (1 + Math.ceil(lastNs / windowNs)) : Number.POSITIVE_INFINITY
}
