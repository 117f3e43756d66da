import type { AdminStore } from '../../../core/ports/admin-store.ts'
import { auditItem } from '../items/audit-item.ts'
import { limitSetItem, toLimitSet } from '../items/limit-set-item.ts'
import type { TableReads } from '../table/table-reads.ts'
import { atVersion } from '../table/table-write.ts'
import type { TableWrites } from '../table/table-writes.ts'
import { limitedResourceOf, limitSetTableKey, ownerPartition, SORT } from '../table-keys.ts'

type LimitSets = Pick<AdminStore, 'limitSets' | 'putLimitSet' | 'limitedResources'>

/** Sets of limits in the table, one item per owner and resource. */
export const createLimitSets = (reads: TableReads, writes: TableWrites): LimitSets => ({
  async limitSets(keys) {
    const items = await reads.getAll(keys.map(limitSetTableKey))
    return items.map((item) => (item === undefined ? undefined : toLimitSet(item)))
  },
  async putLimitSet(key, set, expectedVersion, audit) {
    const failed = await writes.apply<'changed'>([
      {
        does: 'put',
        item: limitSetItem(key, set),
        condition: atVersion(expectedVersion),
        otherwise: 'changed',
      },
      { does: 'put', item: auditItem(audit) },
    ])
    return failed ?? 'replaced'
  },
  async limitedResources(owner) {
    const items = await reads.partition(ownerPartition(owner), { prefix: SORT.limitsOfAnyOwner })
    return items
      .filter((item) => toLimitSet(item).limits.length > 0)
      .flatMap((item) => limitedResourceOf(item.SK?.S ?? '') ?? [])
  },
})
