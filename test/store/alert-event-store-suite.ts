import { describe, expect, test } from 'vitest'
import type { AlertEvent, DeliveryState } from '../../src/core/model/alert.ts'
import type { AlertEventStore } from '../../src/core/ports/alert-store.ts'
import { anAlertEvent, fresh, HOUR_NS, TODAY } from './store-fixtures.ts'

/** What every store of alert events does. */
export const alertEventStoreSuite = (name: string, store: () => AlertEventStore): void => {
  const listed = async (wanted: readonly AlertEvent[]): Promise<readonly AlertEvent[]> => {
    const { items } = await store().listEvents({ limit: 1000 })
    return items.filter(({ id }) => wanted.some((event) => event.id === id))
  }
  const isPending = async ({ id }: AlertEvent): Promise<boolean> =>
    (await store().pending(1000)).some((event) => event.id === id)

  describe(`the alert events in ${name}`, () => {
    test('are put once for a bucket, limit, window, share and alert', async () => {
      const event = anAlertEvent()
      expect(await store().raise(event)).toBe('raised')
      expect(await store().raise({ ...event, id: fresh('alert'), used: 99 })).toBe('exists')
      const others: Partial<AlertEvent>[] = [
        { bucket: `${event.bucket}x` },
        { limitName: 'rpm' },
        { window: { start: TODAY + 1n, end: TODAY + 2n } },
        { share: 1 },
        { alert: 'other' },
      ]
      for (const other of others)
        expect(await store().raise({ ...event, id: fresh('alert'), ...other })).toBe('raised')
      expect(await listed([event])).toEqual([event])
    })

    test('keep every field', async () => {
      const full = anAlertEvent({
        entityId: null,
        policy: { scope: 'USER_MODEL', selector: 'ann#org/model:1' },
        meter: null,
        share: 0.125,
        used: Number.MAX_SAFE_INTEGER,
        capacity: 1,
        attempts: 2,
        reason: 'the receiver responded with 500',
        at: TODAY + 123_456_789n,
      })
      await store().raise(full)
      expect(await listed([full])).toEqual([full])
    })

    test('change on condition of their attempts and due time, until they end', async () => {
      const event = anAlertEvent()
      await store().raise(event)
      const taken: DeliveryState = {
        state: 'pending',
        attempts: 1,
        dueAt: TODAY + 60n * 1_000_000_000n,
        reason: null,
        endedAt: null,
      }
      expect(await store().update(event, taken)).toBe('updated')
      expect(await store().update(event, taken)).toBe('changed')
      expect(await store().update({ ...event, ...taken, dueAt: TODAY }, taken)).toBe('changed')
      expect(await store().update({ ...event, ...taken, attempts: 2 }, taken)).toBe('changed')
      expect(await isPending(event)).toBe(true)

      const failed: DeliveryState = { ...taken, state: 'failed', dueAt: null, reason: 'x', endedAt: TODAY }
      expect(await store().update({ ...event, ...taken }, failed)).toBe('updated')
      expect(await listed([event])).toEqual([{ ...event, ...failed }])
      expect(await isPending(event)).toBe(false)
      expect(await store().update({ ...event, ...failed }, taken)).toBe('changed')
      expect(await store().update(anAlertEvent(), taken)).toBe('changed')
    })

    test('are pending from the oldest on, and listed in pages from the newest on', async () => {
      // later than those of other tests
      const base = TODAY + 1000n * HOUR_NS
      const events = [0n, 1n, 2n, 2n, 4n].map((hours) => anAlertEvent({ at: base + hours * HOUR_NS }))
      for (const event of events) await store().raise(event)
      const ended = events[3] ?? anAlertEvent()
      await store().update(ended, {
        state: 'delivered',
        attempts: 1,
        dueAt: null,
        reason: null,
        endedAt: base,
      })
      const ids = (list: readonly AlertEvent[]) => list.map(({ id }) => id)
      const pending = (await store().pending(1000)).filter(({ at }) => at >= base)
      expect(ids(pending)).toEqual(ids(events.filter((event) => event !== ended)))
      expect(await store().pending(1)).toHaveLength(1)

      const found: AlertEvent[] = []
      let cursor: string | null = null
      do {
        const page = await store().listEvents({ limit: 2, ...(cursor !== null && { cursor }) })
        expect(page.items.length).toBeLessThanOrEqual(2)
        found.push(...page.items)
        cursor = page.nextCursor
      } while (cursor !== null)
      const newestFirst = found.filter(({ at }) => at >= base)
      expect(ids(newestFirst).toSorted()).toEqual(ids(events).toSorted())
      expect(newestFirst.map(({ at }) => at)).toEqual(events.map(({ at }) => at).toReversed())
      expect(new Set(ids(found)).size).toBe(found.length)
    })

    test('reject a cursor of another list', async () => {
      const wrong = store().listEvents({ limit: 1, cursor: 'x' })
      await expect(wrong).rejects.toMatchObject({ code: 'invalid_request', field: 'cursor' })
    })
  })
}
