import { describe, expect, test } from 'vitest'
import type { Beginning, IdempotencyStore, KeptResponse } from '../../src/core/ports/idempotency-store.ts'
import { fresh, HOUR_NS, TODAY } from './store-fixtures.ts'

const MINUTE = 60_000_000_000n

export const RESPONSE: KeptResponse = {
  status: 429,
  headers: { 'retry-after': '2' },
  body: { allowed: false, retry_after_seconds: 1.881, limits: [{ source: 'entity', left: null, own: true }] },
}

export const aBeginning = (fields: Partial<Beginning> = {}): Beginning => ({
  key: { callerId: 'key-bob', keyHash: fresh('hash') },
  bodyHash: 'b0d1',
  attemptId: fresh('attempt'),
  now: TODAY,
  pendingUntil: TODAY + MINUTE,
  expiresAt: TODAY + 24n * HOUR_NS,
  ...fields,
})

/** Another attempt under the same key, `afterNs` later. */
const laterThan = (
  { key, now, pendingUntil, expiresAt, bodyHash }: Beginning,
  afterNs: bigint,
): Beginning => ({
  key,
  bodyHash,
  attemptId: fresh('attempt'),
  now: now + afterNs,
  pendingUntil: pendingUntil + afterNs,
  expiresAt: expiresAt + afterNs,
})

/** What every idempotency store does. */
export const idempotencyStoreSuite = (name: string, storeNow: () => IdempotencyStore): void => {
  describe(`idempotency keys in ${name}`, () => {
    const begin = (beginning: Beginning) => storeNow().begin(beginning)
    const begun = async (fields: Partial<Beginning> = {}) => {
      const beginning = aBeginning(fields)
      expect(await begin(beginning)).toEqual({ outcome: 'begun' })
      return beginning
    }

    test('belong to the first of many that begin at once', async () => {
      const first = aBeginning()
      const all = [first, ...Array.from({ length: 9 }, () => laterThan(first, 0n))]
      const outcomes = await Promise.all(all.map(begin))
      expect(outcomes.filter(({ outcome }) => outcome === 'begun')).toHaveLength(1)
      expect(outcomes.filter(({ outcome }) => outcome === 'pending')).toHaveLength(9)
    })

    test('are found as another attempt would meet them, by a read that changes nothing', async () => {
      const find = (of: Beginning, body = of.bodyHash, afterNs = 0n) =>
        storeNow().find({ key: of.key, bodyHash: body, now: of.now + afterNs })
      const unknown = aBeginning()
      expect(await find(unknown)).toEqual({ outcome: 'free' })
      expect(await begin(unknown)).toEqual({ outcome: 'begun' })
      expect(await find(unknown)).toEqual({ outcome: 'pending' })
      expect(await find(unknown, 'another')).toEqual({ outcome: 'other_body' })
      expect(await find(unknown, unknown.bodyHash, MINUTE)).toEqual({ outcome: 'free' })
      expect(await find(unknown, 'another', MINUTE)).toEqual({ outcome: 'other_body' })
      await storeNow().finish(unknown, RESPONSE)
      expect(await find(unknown)).toStrictEqual({ outcome: 'finished', response: RESPONSE })
      expect(await find(unknown, 'another')).toEqual({ outcome: 'other_body' })
      expect(await find(unknown, unknown.bodyHash, 24n * HOUR_NS)).toEqual({ outcome: 'free' })
    })

    test('return the same response until they expire', async () => {
      const first = await begun()
      expect(await storeNow().finish(first, RESPONSE)).toBe('kept')
      const finished = { outcome: 'finished', response: RESPONSE }
      expect(await begin(laterThan(first, 0n))).toStrictEqual(finished)
      expect(await begin(laterThan(first, 24n * HOUR_NS - 1n))).toStrictEqual(finished)
      expect(await begin(laterThan(first, 24n * HOUR_NS))).toEqual({ outcome: 'begun' })
      expect(await begin(laterThan(first, 24n * HOUR_NS))).toEqual({ outcome: 'pending' })
    })

    test('stand for one body, pending or finished, overdue or not', async () => {
      const first = await begun()
      const other = (afterNs: bigint) => ({ ...laterThan(first, afterNs), bodyHash: '07e4' })
      expect(await begin(other(0n))).toEqual({ outcome: 'other_body' })
      expect(await begin(other(2n * MINUTE))).toEqual({ outcome: 'other_body' })
      await storeNow().finish(first, RESPONSE)
      expect(await begin(other(2n * MINUTE))).toEqual({ outcome: 'other_body' })
      expect(await begin(other(24n * HOUR_NS))).toEqual({ outcome: 'begun' })
    })

    test('are taken over by a later attempt if they are pending for too long', async () => {
      const first = await begun()
      expect(await begin(laterThan(first, MINUTE - 1n))).toEqual({ outcome: 'pending' })
      const second = laterThan(first, MINUTE)
      expect(await begin(second)).toEqual({ outcome: 'begun' })
      expect(await begin(laterThan(first, MINUTE))).toEqual({ outcome: 'pending' })
      expect(await storeNow().finish(first, RESPONSE)).toBe('lost')
      await storeNow().abandon(first)
      expect(await begin(laterThan(first, MINUTE))).toEqual({ outcome: 'pending' })
      expect(await storeNow().finish(second, RESPONSE)).toBe('kept')
      expect(await begin(laterThan(first, MINUTE))).toEqual({ outcome: 'finished', response: RESPONSE })
    })

    test('may be finished again by the same attempt after a lost response', async () => {
      const first = await begun()
      expect(await storeNow().finish(first, RESPONSE)).toBe('kept')
      expect(await storeNow().finish(first, RESPONSE)).toBe('kept')
    })

    test('may be begun again by the same attempt after a lost response', async () => {
      const first = await begun()
      expect(await begin(first)).toEqual({ outcome: 'begun' })
    })

    test('are free again after they are abandoned, unless they have a response', async () => {
      const first = await begun()
      await storeNow().abandon(first)
      const second = laterThan(first, 1n)
      expect(await begin({ ...second, bodyHash: '07e4' })).toEqual({ outcome: 'begun' })
      await storeNow().finish(second, RESPONSE)
      await storeNow().abandon(second)
      expect(await begin({ ...laterThan(first, 2n), bodyHash: '07e4' })).toMatchObject({
        outcome: 'finished',
      })
    })

    test('are lost if the record no longer exists', async () => {
      expect(await storeNow().finish(aBeginning(), RESPONSE)).toBe('lost')
    })

    test('of two callers have nothing to do with each other', async () => {
      const first = await begun()
      const foreign = { ...laterThan(first, 0n), key: { ...first.key, callerId: 'key-alice' } }
      expect(await begin(foreign)).toEqual({ outcome: 'begun' })
    })
  })
}
