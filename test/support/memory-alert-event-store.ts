import { type AlertEvent, eventKeyText } from '../../src/core/model/alert.ts'
import type { AlertEventStore } from '../../src/core/ports/alert-store.ts'
import { badCursor, decodeCursor, encodeCursor } from '../../src/store/cursor.ts'
import { byText } from './memory-admin-store.ts'

const positionOf = ({ at, id }: AlertEvent): string => `${String(at).padStart(20, '0')}#${id}`

/** Alert events in memory. */
export const createMemoryAlertEventStore = (): AlertEventStore => {
  const events = new Map<string, AlertEvent>()
  const oldestFirst = (): readonly AlertEvent[] =>
    [...events.values()].sort((a, b) => byText(positionOf(a), positionOf(b)))
  return {
    async raise(event) {
      if (events.has(eventKeyText(event))) return 'exists'
      events.set(eventKeyText(event), event)
      return 'raised'
    },
    async update(event, next) {
      const stored = events.get(eventKeyText(event))
      const isSame = stored?.attempts === event.attempts && stored.dueAt === event.dueAt
      if (stored?.state !== 'pending' || !isSame) return 'changed'
      events.set(eventKeyText(event), { ...stored, ...next })
      return 'updated'
    },
    pending: async (limit) =>
      oldestFirst()
        .filter(({ state }) => state === 'pending')
        .slice(0, limit),
    async listEvents({ limit, cursor }) {
      const [before] = decodeCursor(cursor, 1) ?? []
      if (before !== undefined && !/^\d{20}#./.test(before)) throw badCursor()
      const older = oldestFirst()
        .toReversed()
        .filter((event) => before === undefined || byText(positionOf(event), before) < 0)
      const items = older.slice(0, limit)
      const last = items.at(-1)
      const hasMore = last !== undefined && older.length > limit
      return { items, nextCursor: hasMore ? encodeCursor(positionOf(last)) : null }
    },
  }
}
