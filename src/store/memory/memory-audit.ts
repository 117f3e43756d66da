import type { AdminStore, AuditRecord } from '../../core/ports/admin-store.ts'
import { badCursor, decodeCursor, encodeCursor } from '../cursor.ts'
import { byText, type MemoryTables } from './memory-tables.ts'

type Place = Pick<AuditRecord, 'at' | 'id'>

/** Records of changes without an engine, newest first. */
export const createMemoryAudit =
  ({ audit }: MemoryTables): AdminStore['listAudit'] =>
  async ({ limit, cursor, subject, from = 0n }) => {
    const after = toPlace(cursor)
    const found = audit
      .filter((record) => record.at >= from && (subject === undefined || record.subject === subject))
      .filter((record) => after === undefined || newestFirst(record, after) > 0)
      .sort(newestFirst)
    const items = found.slice(0, limit)
    const last = items.at(-1)
    const hasMore = last !== undefined && found.length > limit
    return { items, nextCursor: hasMore ? encodeCursor(String(last.at), last.id) : null }
  }

const newestFirst = (a: Place, b: Place): number => (a.at === b.at ? byText(b.id, a.id) : Number(b.at - a.at))

const toPlace = (cursor: string | undefined): Place | undefined => {
  const parts = decodeCursor(cursor, 2)
  if (parts === undefined) return undefined
  const [at = '', id = ''] = parts
  if (!/^\d+$/.test(at) || id === '') throw badCursor()
  return { at: BigInt(at), id }
}
