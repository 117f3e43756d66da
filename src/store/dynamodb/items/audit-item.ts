import type { AuditRecord, AuditValue } from '../../../core/ports/admin-store.ts'
import { fromAttribute, type PlainJson, type StoredItem, toItem } from '../attribute-values.ts'
import { auditKey, auditSubjectPartition } from '../table-keys.ts'
import { dayOf, toIsoTime } from './iso-time.ts'
import { createItemReader } from './item-reader.ts'

/** A record of a change, kept by day, and by subject in the index. */
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

/** The keys of the table and of the index: where a record stands, and where a list goes on after it. */
export const auditTableKeys = (record: Pick<AuditRecord, 'at' | 'id' | 'subject'>) => ({
  ...auditKey(dayOf(record.at), toIsoTime(record.at), record.id),
  GSI1PK: auditSubjectPartition(record.subject),
  GSI1SK: toIsoTime(record.at),
})

/** Throws an error that names the item where it cannot be read. */
export const toAuditRecord = (item: StoredItem): AuditRecord => {
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
