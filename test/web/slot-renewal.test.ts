import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Reservation } from '../../src/core/decide/decision.ts'
import { settledReservation } from '../../src/core/decide/reservation.ts'
import { renewedWhileOpen } from '../../src/web/slot-renewal.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

const reservationOf = (
  renew: () => Promise<boolean>,
): Reservation & { readonly calls: readonly string[] } => {
  const calls: string[] = []
  return {
    ...settledReservation,
    settle: () => void calls.push('settle'),
    release: () => void calls.push('release'),
    held: { leaseNs: 60_000_000_000n, renew },
    calls,
  }
}

const holding = () => {
  let renewals = 0
  const { calls, ...reservation } = reservationOf(async () => {
    renewals++
    return false
  })
  return { open: renewedWhileOpen(reservation), calls, renewals: () => renewals }
}

describe('a reservation that holds slots', () => {
  test.each(['settle', 'release'] as const)(
    'is renewed every third of the lease, even if a renewal fails, until it ends by %s',
    async (how) => {
      const { open, calls, renewals } = holding()
      vi.advanceTimersByTime(19_999)
      expect(renewals()).toBe(0)
      vi.advanceTimersByTime(1)
      expect(renewals()).toBe(1)
      await vi.advanceTimersByTimeAsync(120_000)
      expect(renewals()).toBe(7)
      await (how === 'settle' ? open.settle({}) : open.release())
      expect(calls).toEqual([how])
      vi.advanceTimersByTime(600_000)
      expect(renewals()).toBe(7)
      expect(vi.getTimerCount()).toBe(0)
    },
  )

  test.each(['settle', 'release'] as const)('ends by %s after a renewal in progress', async (how) => {
    let finish = (_: boolean): void => {}
    const { calls, ...reservation } = reservationOf(
      () => new Promise<boolean>((resolve) => (finish = resolve)),
    )
    const open = renewedWhileOpen(reservation)
    vi.advanceTimersByTime(20_000)
    const ended = how === 'settle' ? open.settle({}) : open.release()
    await Promise.resolve()
    expect(calls).toEqual([])
    finish(true)
    await ended
    expect(calls).toEqual([how])
  })

  test('costs nothing without slots', () => {
    expect(renewedWhileOpen(settledReservation)).toBe(settledReservation)
    expect(vi.getTimerCount()).toBe(0)
  })
})
