import { describe, expect, test } from 'vitest'
import { entityBucket, policyBucket } from '../../src/core/bucket/bucket-store.ts'
import type { Closing, ReservationStore, StoredReservation } from '../../src/core/charge/reservation-store.ts'
import { fresh, TODAY } from './store-fixtures.ts'

const MINUTE = 60_000_000_000n

/** A reservation with every field. */
export const aReservation = (fields: Partial<StoredReservation> = {}): StoredReservation => ({
  id: fresh('reservation'),
  ownerId: 'key-bob',
  charges: {
    reserved: { requests: 1, tokens: 300 },
    parts: [
      {
        bucket: entityBucket('key-bob', 'org/gpt-4'),
        receipt: {
          bucket: entityBucket('key-bob', 'org/gpt-4'),
          generation: TODAY - 5n,
          chargedAt: TODAY + 123_456_789n,
          limits: [
            {
              limitName: 'tpm',
              meter: 'tokens',
              text: 'token_bucket 1000 per 60s',
              version: TODAY,
              charged: 300,
              basis: { left: 18_000_000_000n, refunded: 0n, slots: 'a1 a2' },
              full: false,
              soft: true,
              headroom: 0,
            },
            {
              limitName: 'rpm',
              meter: 'requests',
              text: 'token_bucket 10 per 60s',
              version: 0n,
              charged: 0,
              basis: { marks: '' },
              full: true,
              soft: false,
              headroom: 12,
            },
          ],
        },
      },
      {
        bucket: policyBucket({ scope: 'USER_MODEL', selector: 'ann#org/gpt-4' }),
        receipt: {
          bucket: policyBucket({ scope: 'USER_MODEL', selector: 'ann#org/gpt-4' }),
          generation: undefined,
          chargedAt: TODAY,
          limits: [],
        },
      },
      { bucket: entityBucket('proj-demo', '_total_') },
    ],
  },
  createdAt: TODAY + 1n,
  expiresAt: TODAY + 10n * MINUTE,
  ...fields,
})

const closingOf = ({ id, ownerId }: StoredReservation, fields: Partial<Closing> = {}): Closing => ({
  id,
  ownerId,
  as: 'settled',
  now: TODAY + MINUTE,
  closedBy: fresh('closing'),
  ...fields,
})

/** What every reservation store does. */
export const reservationStoreSuite = (name: string, storeNow: () => ReservationStore): void => {
  describe(`reservations in ${name}`, () => {
    const kept = async (fields: Partial<StoredReservation> = {}) => {
      const reservation = aReservation(fields)
      await storeNow().put(reservation)
      return reservation
    }
    const close = (closing: Closing) => storeNow().close(closing)

    test('return whole when they are closed', async () => {
      const reservation = await kept()
      expect(await close(closingOf(reservation))).toStrictEqual({ outcome: 'closed', reservation })
    })

    test('contain nothing if nothing was charged', async () => {
      const reservation = await kept({ charges: { reserved: {}, parts: [] } })
      expect(await close(closingOf(reservation))).toStrictEqual({ outcome: 'closed', reservation })
    })

    test.each(['settled', 'released'] as const)('end once, and tell how: %s', async (as) => {
      const reservation = await kept()
      expect(await close(closingOf(reservation, { as }))).toMatchObject({ outcome: 'closed' })
      for (const again of ['settled', 'released'] as const)
        expect(await close(closingOf(reservation, { as: again }))).toEqual({ outcome: 'ended', state: as })
    })

    test('end for one of many that try at once', async () => {
      const reservation = await kept()
      const closings = Array.from({ length: 12 }, (_, index) =>
        closingOf(reservation, { as: index % 2 === 0 ? 'settled' : 'released' }),
      )
      const outcomes = await Promise.all(closings.map(close))
      const winner = outcomes.findIndex(({ outcome }) => outcome === 'closed')
      const others = outcomes.toSpliced(winner, 1)
      expect(others).toEqual(others.map(() => ({ outcome: 'ended', state: closings[winner]?.as })))
    })

    test('repeat the result of a repeated close, also after their expiry', async () => {
      const reservation = await kept()
      const closing = closingOf(reservation)
      await close(closing)
      const again = { ...closing, now: reservation.expiresAt + 1n }
      expect(await close(again)).toStrictEqual({ outcome: 'closed', reservation })
    })

    test('are missing for everyone but their owner, ended or not', async () => {
      const reservation = await kept()
      const foreign = closingOf(reservation, { ownerId: 'key-alice' })
      expect(await close(foreign)).toEqual({ outcome: 'missing' })
      expect(await close(closingOf(reservation))).toMatchObject({ outcome: 'closed' })
      expect(await close(foreign)).toEqual({ outcome: 'missing' })
      expect(await close(closingOf(aReservation()))).toEqual({ outcome: 'missing' })
    })

    const extend = (
      { id, ownerId }: StoredReservation,
      expiresAt: bigint,
      fields: Partial<Parameters<ReservationStore['extend']>[0]> = {},
    ) => storeNow().extend({ id, ownerId, now: TODAY + MINUTE, expiresAt, ...fields })

    test('can be extended while they are open, and then be ended as they were', async () => {
      const reservation = await kept()
      const expiresAt = reservation.expiresAt + MINUTE
      const open = { outcome: 'open', expiresAt, charges: reservation.charges }
      expect(await extend(reservation, expiresAt)).toEqual(open)
      // repeated, or with an earlier expiry: the later one stays
      expect(await extend(reservation, expiresAt)).toEqual(open)
      expect(await extend(reservation, expiresAt - 1n)).toEqual(open)
      const closing = closingOf(reservation, { now: expiresAt - 1n })
      const extended = { ...reservation, expiresAt }
      expect(await close(closing)).toStrictEqual({ outcome: 'closed', reservation: extended })
    })

    test('are not extended once they have ended, nor by another than their owner', async () => {
      const [settled, expired, foreign] = [await kept(), await kept(), await kept()]
      const later = settled.expiresAt + MINUTE
      await close(closingOf(settled))
      expect(await extend(settled, later)).toEqual({ outcome: 'ended', state: 'settled' })
      expect(await extend(expired, later, { now: expired.expiresAt })).toEqual({
        outcome: 'ended',
        state: 'expired',
      })
      expect(await extend(foreign, later, { ownerId: 'key-alice' })).toEqual({ outcome: 'missing' })
      expect(await extend(aReservation(), later)).toEqual({ outcome: 'missing' })
      const end = closingOf(foreign, { now: foreign.expiresAt })
      expect(await close(end)).toEqual({ outcome: 'ended', state: 'expired' })
    })

    test('can be ended up to the moment at which they expire', async () => {
      const [early, late] = [await kept(), await kept()]
      const { expiresAt } = late
      expect(await close(closingOf(late, { now: expiresAt }))).toEqual({ outcome: 'ended', state: 'expired' })
      expect(await close(closingOf(early, { now: expiresAt - 1n }))).toMatchObject({ outcome: 'closed' })
    })
  })
}
