import type { AdminStore } from '../../../core/ports/admin-store.ts'
import { decodePolicyCursor, encodePolicyCursor } from '../../policy-cursor.ts'
import { toItem } from '../attribute-values.ts'
import { toPolicy } from '../items/limit-set-item.ts'
import type { TableReads } from '../table/table-reads.ts'
import { INDEX, INDEXED, policyIndexKey } from '../table-keys.ts'

/** Lists policies by the index, which holds only those that have limits. */
export const createPolicyList =
  (reads: TableReads): AdminStore['listPolicies'] =>
  async ({ limit, cursor }) => {
    const after = decodePolicyCursor(cursor)
    const page = await reads.indexPage(INDEX, INDEXED.policies, 'all', {
      limit: limit + 1,
      ...(after && { after: toItem({ ...policyIndexKey(after) }) }),
    })
    const items = page.items.slice(0, limit).map(toPolicy)
    const last = items.at(-1)
    const hasMore = last !== undefined && page.items.length > limit
    return { items, nextCursor: hasMore ? encodePolicyCursor(last.key) : null }
  }
