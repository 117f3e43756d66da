import type { LoggedRequest, RunLog } from '../run-log.ts'
import { amountOf } from '../schedule/draw-entities.ts'
import type { PlannedLimit } from '../schedule/schedule.ts'
import { overBy } from './never-over.ts'
import { refundsOf } from './spans.ts'
import { isChanged, softIn, touches, type Use, unitOf, usesOf, type Watched, watchedIn } from './uses.ts'

/** As in the settings: the share of a limit that one process grants without the table. */
const LOCAL_SHARE = 0.1

type Rule = 'deny' | 'local' | 'allow'

/** The modes of limits hold: which apply while the table is unavailable, which only warn, and which are paused. */
export const asConfigured = (log: RunLog): readonly string[] => [
  ...watchedIn(log).flatMap((watched) => admittedByPaused(log, watched)),
  ...log.requests.flatMap((request) => violationsOfRules(log, request)),
  ...log.requests.flatMap((request) => deniedByOthers(log, request)),
  ...watchedIn(log).flatMap((watched) => overShare(log, watched)),
  ...softIn(log).flatMap((watched) => overSoft(log, watched)),
]

const violationsOfRules = (log: RunLog, request: LoggedRequest): readonly string[] => {
  const { response, requestedNs } = request
  if (response === undefined || (!response.isAllowed && response.deniedBy === undefined)) return []
  const rules = rulesFor(log, request)
  const soft = softIn(log).find(({ entityId, limit }) =>
    response.deniedBy?.some((by) => by.entityId === entityId && by.limit === limit.name),
  )
  const wrongs = [
    response.isAllowed && response.isDegraded && rules.every((rule) => rule === 'deny')
      ? 'admitted without the table, although limits forbid it'
      : '',
    response.isUnavailable && !rules.includes('deny')
      ? 'denied without the table, although no limit requires it'
      : '',
    !response.isAllowed && !canBeDenied(log, request) ? 'denied, although limits only warn' : '',
    soft ? `denied by ${soft.limit.name} of ${soft.entityId}, which only warns` : '',
  ]
  return wrongs.filter((wrong) => wrong !== '').map((wrong) => `sent at ${requestedNs / 1e9} s, ${wrong}`)
}

/** A limit of another user, session, tenant or key has denied. */
const deniedByOthers = (log: RunLog, request: LoggedRequest): readonly string[] => {
  const others = request.response?.deniedBy?.filter((by) => !touches(log, by, request)) ?? []
  return others.map(
    ({ limit, entityId }) =>
      `sent at ${request.requestedNs / 1e9} s, denied by ${limit} of ${entityId}, which does not apply`,
  )
}

/**
 * A limit of 0 admits nothing, not even a cost of 0, because every request names both meters. Not checked for limits
 * that change.
 */
const admittedByPaused = (log: RunLog, watched: Watched): readonly string[] => {
  const { entityId, limit } = watched
  if (amountOf(limit.size) > 0 || limit.meter === 'output_tokens' || isChanged(log, watched)) return []
  return log.requests
    .filter((request) => touches(log, watched, request) && request.response?.isAllowed)
    .filter(({ response }) => !response?.isDegraded || limit.onUnavailable !== 'allow')
    .map(
      ({ requestedNs }) =>
        `sent at ${requestedNs / 1e9} s, admitted by ${limit.name} of ${entityId}, which is paused`,
    )
}

const canBeDenied = (log: RunLog, request: LoggedRequest): boolean =>
  watchedIn(log).some((watched) => touches(log, watched, request)) || isSlotted(log, request)

/** Whether a limit of requests in flight applies, which denies while the table is unavailable. */
const isSlotted = (log: RunLog, request: LoggedRequest): boolean =>
  (log.schedule.slots ?? []).some(({ of }) => touches(log, { entityId: of }, request))

/** For each bucket of the request, the strictest rule among its limits that deny; `allow` if it has none. */
const rulesFor = (log: RunLog, request: LoggedRequest): readonly Rule[] => {
  const met = [...watchedIn(log), ...softIn(log)].filter((watched) => touches(log, watched, request))
  const rules = [...new Set(met.map(({ entityId }) => entityId))].map((id) =>
    strictest(met.filter(({ entityId, limit }) => entityId === id && limit.mode === undefined)),
  )
  return isSlotted(log, request) ? [...rules, 'deny'] : rules
}

const strictest = (enforced: readonly Watched[]): Rule => {
  const rules = enforced.map(({ limit }) => limit.onUnavailable ?? 'deny')
  return (['deny', 'local'] as const).find((rule) => rules.includes(rule)) ?? 'allow'
}

/** Without the table each process grants a share of a limit. Only checked if the request charges no other bucket. */
const overShare = (log: RunLog, watched: Watched): readonly string[] => {
  if (watched.limit.scheduled !== undefined) return []
  const granted = log.requests.filter(
    (request) =>
      request.response?.isAllowed &&
      request.response.isDegraded &&
      touches(log, watched, request) &&
      rulesFor(log, request).join() === 'local',
  )
  const share = { ...watched, limit: { ...watched.limit, size: shareOf(watched.limit.size) } }
  return [...new Set(granted.map(({ by }) => by))].flatMap((instance) => {
    const requests = granted
      .filter(({ by }) => by === instance)
      .map((request) =>
        request.response ? { ...request, response: { ...request.response, isDegraded: false } } : request,
      )
    return overBy(log, share, usesOf({ ...log, requests }, watched)).map(
      (text) => `without the table: ${text}`,
    )
  })
}

const shareOf = (size: PlannedLimit['size']): PlannedLimit['size'] => {
  if (amountOf(size) === 0) return size
  const part = (amount: number): number => Math.max(1, Math.floor(amount * LOCAL_SHARE))
  // any span as long as such a window may have the last of one and the first of the next
  if (size.kind === 'run') return { ...size, kind: 'sliding', limit: 2 * part(size.limit), slots: 1 }
  if (size.kind !== 'bucket') return { ...size, limit: part(size.limit) }
  const perSecond = (size.capacity / size.fillsInSeconds) * LOCAL_SHARE
  const capacity = part(size.capacity)
  return { ...size, capacity, fillsInSeconds: capacity / perSecond }
}

/** The amount that a limit in warn mode has charged stays within it. Only checked if nothing is refunded. */
const overSoft = (log: RunLog, watched: Watched): readonly string[] => {
  const { entityId, limit } = watched
  if (
    limit.scheduled !== undefined ||
    log.requests.some(({ settles }) => settles) ||
    refundsOf(log, watched).count > 0
  )
    return []
  const unit = unitOf(limit.size)
  const charges = log.writes
    .filter((write) => write.entityId === entityId)
    .flatMap(({ atNs, by, changes }) =>
      changes
        .filter((change) => change.limit === limit.name && change.amount > 0)
        .map(({ amount }): Use => ({ fromNs: atNs, toNs: atNs, by, amount: amount / unit })),
    )
  return overBy(lateIn(log), watched, charges).map((text) => `only warns: ${text}`)
}

/** A charge counts at the time of its decision, which precedes its write by up to a deadline and the slowest call. */
const lateIn = (log: RunLog): RunLog => ({
  ...log,
  schedule: { ...log.schedule, leaseTtlMs: log.schedule.leaseTtlMs + 2000 },
})
