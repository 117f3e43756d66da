import { NO_CHARGES, type ReservedCharges, type ReservedPart } from '../charge/reservation-store.ts'
import { type SettlingDependencies, settleCharges, settleWithinLeases } from '../charge/settle.ts'
import type { Cost } from '../model/meter.ts'
import type { Eventual } from '../ports/when-ready.ts'
import type { Reservation } from './decision.ts'
import type { ChargedPart } from './limit-state.ts'

/** The reservation of an allowed decision, to be settled or released once. `startedNs`: the monotonic clock before the charge. */
export const createReservation = (
  deps: SettlingDependencies,
  parts: readonly ChargedPart[],
  reserved: Cost,
  startedNs: bigint,
): Reservation => {
  const charges: ReservedCharges = { reserved, parts: parts.map(reservedPart) }
  let hasBegun = false
  let settlement: Eventual<void>
  // A second call waits for the first: a Lambda may end when it resolves.
  const once = (actual: Cost | null): Eventual<void> => {
    if (hasBegun) return settlement
    hasBegun = true
    const isWithinLeases = actual !== null && settleWithinLeases(deps, charges, actual)
    if (!isWithinLeases) settlement = settleCharges(deps, charges, actual, { startedNs, mayWait: true })
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
