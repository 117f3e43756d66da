import type { HeldSlots, Reservation } from '../core/decide/decision.ts'
import { MS_NS } from '../core/model/time.ts'

/** Two renewals may fail before the slots expire. */
const RENEWALS_PER_LEASE = 3n

/**
 * Renews slots until the returned function is called, which returns the last renewal if it is in progress: on Lambda it must end before the
 * response. Does not keep the process alive.
 */
const keepRenewing = (held: HeldSlots): (() => Promise<unknown> | undefined) => {
  let current: Promise<unknown> | undefined
  const renew = (): void => {
    const renewal: Promise<unknown> = held.renew().finally(() => {
      if (current === renewal) current = undefined
    })
    current = renewal
  }
  const timer = setInterval(renew, Number(held.leaseNs / RENEWALS_PER_LEASE / MS_NS))
  // a number in browsers, Deno and Workers
  if (typeof timer === 'object') timer.unref?.()
  return () => {
    clearInterval(timer)
    return current
  }
}

/** The end of a reservation, after its last renewal. */
const ended = (
  renewal: Promise<unknown> | undefined,
  end: () => void | Promise<void>,
): void | Promise<void> => (renewal === undefined ? end() : renewal.then(end, end))

/** The reservation of a request in flight: its slots, if it holds any, are renewed until it ends. */
export const renewedWhileOpen = (reservation: Reservation): Reservation => {
  const { held } = reservation
  if (held === undefined) return reservation
  const stop = keepRenewing(held)
  return {
    ...reservation,
    settle(actual) {
      return ended(stop(), () => reservation.settle(actual))
    },
    release() {
      return ended(stop(), () => reservation.release())
    },
  }
}
