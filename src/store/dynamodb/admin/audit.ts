import { DAY_NS, larger } from '../../../core/model/time.ts'
import type { AdminStore, AuditRecord, AuditValue, Page } from '../../../core/ports/admin-store.ts'
import type { Clock } from '../../../core/ports/platform.ts'
import { badCursor, decodeCursor, encodeCursor } from '../../cursor.ts'
import {
  createItemReader,
  dayOf,
  fromAttribute,
  fromIsoTime,
  type PlainJson,
  type StoredItem,
  toIsoTime,
  toItem,
} from '../attributes.ts'
import { auditKey, auditPartition, auditSubjectPartition, INDEX } from '../table-keys.ts'
import type { TableReads } from '../table-reads.ts'
import type { TableWrites } from '../table-writes.ts'

/** An audit record, by day, and by subject in the index. */
export const auditItem = (record: AuditRecord): StoredItem =>
  toItem({
    ...auditTableKeys(record),
    id: record.id,
    at: toIsoTime(record.at),
    actor: record.actor,
    action: record.action,
    subject: record.subject,
    before: record.before,
    after: record.after,
  })

/** The keys of the table and of the index: the position of a record, after which a list continues. */
const auditTableKeys = (record: Pick<AuditRecord, 'at' | 'id' | 'subject'>) => ({
  ...auditKey(dayOf(record.at), toIsoTime(record.at), record.id),
  GSI1PK: auditSubjectPartition(record.subject),
  GSI1SK: toIsoTime(record.at),
})

/** Throws an error that names the item if it is unreadable. */
const toAuditRecord = (item: StoredItem): AuditRecord => {
  const read = createItemReader(item)
  return {
    id: read.text('id'),
    at: read.time('at'),
    actor: read.text('actor'),
    action: read.text('action'),
    subject: read.text('subject'),
    before: toAuditValue(fromAttribute(item.before)),
    after: toAuditValue(fromAttribute(item.after)),
  }
}

const toAuditValue = (value: PlainJson | undefined): AuditValue => value ?? null

type Place = Pick<AuditRecord, 'at' | 'id' | 'subject'>

/** The range of a list of all records, days back. */
const DAYS_BACK = 400

/** Days read at once: few at first, because the newest days usually fill the page. */
const DAYS_AT_ONCE = [2, 6, 16]

/** Sorts after every digit: the upper end of a range of times. */
const LAST = '~'

/** Lists audit records, newest first: of one subject by the index, of all subjects day by day. */
export const createAuditList = (reads: TableReads, clock: Clock): AdminStore['listAudit'] => {
  const bySubject = async (subject: string, from: bigint, after: Place | undefined, limit: number) => {
    const page = await reads.indexPage(
      INDEX,
      auditSubjectPartition(subject),
      { from: toIsoTime(from), to: LAST },
      {
        limit: limit + 1,
        newestFirst: true,
        ...(after && { after: toItem(auditTableKeys({ ...after, subject })) }),
      },
    )
    return pageOf(page.items.map(toAuditRecord), limit)
  }

  const byDay = async (from: bigint, after: Place | undefined, limit: number) => {
    // a node whose clock is ahead may have written records of the next day
    const newest = after?.at ?? clock.now() + DAY_NS
    const oldest = larger(from, newest - BigInt(DAYS_BACK) * DAY_NS)
    const records: AuditRecord[] = []
    for (const days of dayGroups(newest, oldest)) {
      const pages = await Promise.all(days.map((day) => ofDay(reads, day, from, after, limit + 1)))
      records.push(...pages.flat())
      if (records.length > limit) break
    }
    return pageOf(records, limit)
  }

  return async ({ subject, from = 0n, ...page }) => {
    const after = toPlace(page.cursor)
    if (after !== undefined && after.at < from) return { items: [], nextCursor: null }
    const { limit } = page
    return subject === undefined ? byDay(from, after, limit) : bySubject(subject, from, after, limit)
  }
}

const ofDay = async (
  reads: TableReads,
  day: string,
  from: bigint,
  after: Place | undefined,
  limit: number,
): Promise<readonly AuditRecord[]> => {
  const start = after !== undefined && dayOf(after.at) === day ? tableKey(after) : undefined
  const { items } = await reads.page(
    auditPartition(day),
    { from: toIsoTime(from), to: LAST },
    { limit, newestFirst: true, ...(start && { after: start }) },
  )
  return items.map(toAuditRecord)
}

const tableKey = (place: Place) => {
  const { PK, SK } = auditTableKeys(place)
  return toItem({ PK, SK })
}

/** The days from `newest` back to `oldest`, in groups that are read at once. */
function* dayGroups(newest: bigint, oldest: bigint): Generator<readonly string[]> {
  let at = newest
  for (let round = 0; dayOf(at) >= dayOf(oldest); round += 1) {
    const size = DAYS_AT_ONCE[round] ?? 30
    const days = Array.from({ length: size }, (_, back) => dayOf(at - BigInt(back) * DAY_NS))
    yield days.filter((day) => day >= dayOf(oldest))
    at -= BigInt(size) * DAY_NS
  }
}

const pageOf = (records: readonly AuditRecord[], limit: number): Page<AuditRecord> => {
  const items = records.slice(0, limit)
  const last = items.at(-1)
  if (last === undefined || records.length <= limit) return { items, nextCursor: null }
  return { items, nextCursor: encodeCursor(toIsoTime(last.at), last.id, last.subject) }
}

const toPlace = (cursor: string | undefined): Place | undefined => {
  const parts = decodeCursor(cursor, 3)
  if (parts === undefined) return undefined
  const [time = '', id = '', subject = ''] = parts
  const at = fromIsoTime(time)
  if (at === undefined || id === '' || subject === '') throw badCursor()
  return { at, id, subject }
}

/** Writes audit records of events that do not change the configuration. */
export const createAuditWriter =
  (writes: TableWrites): AdminStore['recordAudit'] =>
  async (audit) => {
    await writes.apply([{ does: 'put', item: auditItem(audit) }])
  }
