import type { AdminStore } from '../../../core/ports/admin-store.ts'
import { auditItem } from '../items/audit-item.ts'
import type { TableWrites } from '../table/table-writes.ts'

/** Writes records of what is not a change of the configuration. */
export const createAuditWriter =
  (writes: TableWrites): AdminStore['recordAudit'] =>
  async (audit) => {
    await writes.apply([{ does: 'put', item: auditItem(audit) }])
  }
