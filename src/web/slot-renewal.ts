import type { HeldSlots, Reservation } from '../core/decide/decision.ts'
import { MS_NS } from '../core/model/time.ts'

/** Two renewals may fail before the slots expire. */
const RENEWALS_PER_LEASE = 3n

/** Renews slots until the returned function is called. Does not keep the process alive. */
const keepRenewing = (held: HeldSlots): (() => void) => {
  const timer = setInterval(() => void held.renew(), Number(held.leaseNs / RENEWALS_PER_LEASE / MS_NS))
  // a number in browsers, Deno and Workers
  if (typeof timer === 'object') timer.unref?.()
  return () => clearInterval(timer)
}

/** The reservation of a request in flight: its slots, if it holds any, are renewed until it ends. */
export const renewedWhileOpen = (reservation: Reservation): Reservation => {
  const { held } = reservation
  if (held === undefined) return reservation
  const stop = keepRenewing(held)
  return {
    ...reservation,
    settle(actual) {
      stop()
      return reservation.settle(actual)
    },
    release() {
      stop()
      return reservation.release()
    },
  }
}
