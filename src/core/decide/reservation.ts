import { renewSlots, shortestLease, slotParts } from '../charge/renew-slots.ts'
import { NO_CHARGES, type ReservedCharges, type ReservedPart } from '../charge/reservation-store.ts'
import { type SettlingDependencies, settleCharges, settleWithinLeases } from '../charge/settle.ts'
import { type ChargedCost, type Cost, NO_SLOTS } from '../model/meter.ts'
import type { Eventual } from '../ports/when-ready.ts'
import type { Reservation } from './decision.ts'
import type { ChargedPart } from './limit-state.ts'

/** The reservation of an allowed decision, to be settled or released once. `startedNs`: the monotonic clock before the charge. */
export const createReservation = (
  deps: SettlingDependencies,
  parts: readonly ChargedPart[],
  reserved: Cost,
  startedNs: bigint,
): Reservation => reservationOf(deps, { reserved, parts: parts.map(reservedPart) }, startedNs)

/** The same of a request that may hold slots. If its use has been counted already (`settles` is false), it holds nothing else. */
export const createHolding = (
  deps: SettlingDependencies,
  parts: readonly ChargedPart[],
  { slots = NO_SLOTS, ...reserved }: ChargedCost,
  settles: boolean,
  startedNs: bigint,
): Reservation => {
  if (slots.length === 0)
    return settles ? createReservation(deps, parts, reserved, startedNs) : settledReservation
  const all = parts.map(reservedPart)
  const held = slotParts(all)
  if (!settles && held.length === 0) return settledReservation
  const reservation = reservationOf(
    deps,
    settles ? { reserved, parts: all } : { reserved: {}, parts: held },
    startedNs,
  )
  return held.length === 0 ? reservation : holding(deps, reservation, held, slots[0]?.until)
}

/** Without renewal after its end: a renewal that is under way by then requires the slot, which the end removes. */
const holding = (
  deps: SettlingDependencies,
  reservation: Reservation,
  parts: readonly ReservedPart[],
  until: bigint | undefined,
): Reservation => {
  let hasEnded = false
  return {
    ...reservation,
    settle(actual) {
      hasEnded = true
      return reservation.settle(actual)
    },
    release() {
      hasEnded = true
      return reservation.release()
    },
    held: {
      leaseNs: shortestLease(parts),
      until,
      async renew(until) {
        if (hasEnded) return false
        try {
          return await renewSlots(deps, parts, until)
        } catch (error) {
          deps.logger.warn('slots not renewed', { reason: String(error) })
          return false
        }
      },
    },
  }
}

const reservationOf = (
  deps: SettlingDependencies,
  charges: ReservedCharges,
  startedNs: bigint,
): Reservation => {
  let hasBegun = false
  let settlement: Eventual<void>
  // A second call waits for the first: a Lambda may end when it resolves.
  const once = (actual: Cost | null): Eventual<void> => {
    if (hasBegun) return settlement
    hasBegun = true
    const isWithinLeases = actual !== null && settleWithinLeases(deps, charges, actual)
    if (!isWithinLeases) settlement = settleCharges(deps, charges, actual, { startedNs })
    return settlement
  }
  return { charges, settle: once, release: () => once(null) }
}

const reservedPart = ({ view, receipt, lease }: ChargedPart): ReservedPart => ({
  bucket: view.bucket.id,
  ...(receipt !== undefined && { receipt }),
  ...(lease !== undefined && { lease }),
})

/** A reservation without effect: the use has been counted already. */
export const settledReservation: Reservation = {
  charges: NO_CHARGES,
  settle: () => undefined,
  release: () => undefined,
}
