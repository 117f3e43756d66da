import type { LoggedRequest, RunLog } from '../run-log.ts'
import { isCalm, type PlannedSlots } from '../schedule/schedule.ts'
import { differenceNs, touches } from './uses.ts'

const SECOND_NS = 1_000_000_000

/** ns since the start of the schedule. */
interface Holding {
  readonly fromNs: number
  readonly toNs: number
}

/**
 * Never more holders than slots. A request holds its slot from its admission until its end is reported, or until the slot has
 * expired by the clock that is furthest ahead: by then, another node may have taken it. A reset voids the slots before it.
 */
export const slotsHeld = (log: RunLog): readonly string[] =>
  (log.schedule.slots ?? []).flatMap((slots) => {
    const holdings = log.requests.flatMap((request) => holdingOf(log, slots, request) ?? [])
    const most = Math.max(0, ...holdings.map(({ fromNs }) => holdersAt(holdings, fromNs)))
    return most > slots.limit ? [`${most} requests hold ${slots.limit} slots of ${slots.of}`] : []
  })

const holdersAt = (holdings: readonly Holding[], ns: number): number =>
  holdings.filter(({ fromNs, toNs }) => fromNs <= ns && ns < toNs).length

const holdingOf = (log: RunLog, slots: PlannedSlots, request: LoggedRequest): Holding | undefined => {
  const { response, heldSinceNs, ending, requestedNs } = request
  if (!response?.isAllowed || response.isDegraded || heldSinceNs === undefined) return undefined
  if (!touches(log, { entityId: slots.of }, request)) return undefined
  const expiresNs = heldSinceNs + slots.leaseSeconds * SECOND_NS - differenceNs(log)
  const resetNs = log.writes.find(
    ({ isReset, entityId, atNs }) => isReset && entityId === slots.of && atNs >= requestedNs,
  )?.atNs
  const ends = [expiresNs, ending?.calledNs, resetNs].flatMap((ns) => ns ?? [])
  return { fromNs: response.atNs, toNs: Math.min(...ends) }
}

/** After the longest expiry all slots are free; without failures, only requests that never ended have left an entry. */
export const slotsFreed = (log: RunLog): readonly string[] => [
  ...(log.probes ?? []).flatMap(({ entityId, slots, admitted }) =>
    admitted < slots ? [`${entityId}: ${slots - admitted} of ${slots} slots are not free at the end`] : [],
  ),
  ...Object.entries((isCalm(log.schedule) && log.slotsLeft) || {}).flatMap(([of, left]) => {
    const open = log.requests.filter(
      (request) => touches(log, { entityId: of }, request) && isOpen(request),
    ).length
    return left > open ? [`${of}: ${left} slots are left of ${open} requests that never ended`] : []
  }),
]

const isOpen = ({ heldSinceNs, ending }: LoggedRequest): boolean =>
  heldSinceNs !== undefined && ending === undefined
