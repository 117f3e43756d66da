import type { AuditRecord } from '../../../core/ports/admin-store.ts'
import type { StoredItem } from '../attributes.ts'
import type { TableKey } from '../table-keys.ts'
import { type TableReads, wholeIndex } from '../table-reads.ts'
import { atVersion, present, type TableWrites } from '../table-writes.ts'
import { auditItem } from './audit.ts'

/** A kind of item that has a name, and that the index lists as a whole: models, upstreams, alerts. */
interface NamedKind<T> {
  /** The partition of the index. */
  readonly listed: string
  keyOf(name: string): TableKey
  toItem(value: T): StoredItem
  fromItem(item: StoredItem): T
}

/** Reads and writes the items of one kind, each change with its audit record. */
export const createNamedItems = <T>(
  reads: TableReads,
  writes: TableWrites,
  { listed, keyOf, toItem, fromItem }: NamedKind<T>,
) => ({
  async get(name: string): Promise<T | undefined> {
    const item = await reads.get(keyOf(name))
    return item === undefined ? undefined : fromItem(item)
  },
  async put(value: T, audit: AuditRecord, expectedVersion?: bigint | null): Promise<'replaced' | 'changed'> {
    const item = toItem(value)
    const failed = await writes.apply<'changed'>([
      expectedVersion === undefined
        ? { does: 'put', item }
        : { does: 'put', item, condition: atVersion(expectedVersion), otherwise: 'changed' },
      { does: 'put', item: auditItem(audit) },
    ])
    return failed ?? 'replaced'
  },
  async remove(name: string, audit: AuditRecord, expectedVersion?: bigint): Promise<'deleted' | 'missing'> {
    const condition = expectedVersion === undefined ? present : atVersion(expectedVersion)
    const failed = await writes.apply<'missing'>([
      { does: 'delete', key: keyOf(name), condition, otherwise: 'missing' },
      { does: 'put', item: auditItem(audit) },
    ])
    return failed ?? 'deleted'
  },
  list: async (): Promise<readonly T[]> => (await wholeIndex(reads, listed)).map(fromItem),
})
