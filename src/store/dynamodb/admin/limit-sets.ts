import { parseLimits } from '../../../contract/limits.ts'
import { ZaelError } from '../../../core/model/errors.ts'
import { limitToJson } from '../../../core/model/json.ts'
import type { LimitSet, LimitSetKey, Policy } from '../../../core/model/limit-set.ts'
import type { AdminStore } from '../../../core/ports/admin-store.ts'
import { decodePolicyCursor, encodePolicyCursor } from '../../cursor.ts'
import { createItemReader, fromAttribute, type StoredItem, toItem } from '../attributes.ts'
import {
  INDEX,
  INDEXED,
  limitedResourceOf,
  limitSetTableKey,
  ownerPartition,
  policyIndexKey,
  policyOf,
  SORT,
} from '../table-keys.ts'
import type { TableReads } from '../table-reads.ts'
import { atVersion, type TableWrites } from '../table-writes.ts'
import { auditItem } from './audit.ts'

/**
 * The item of a set: limits with the field names of the API, as a list of maps. A tombstone has an empty list. Only policies with
 * limits are in the index.
 */
export const limitSetItem = (key: LimitSetKey, set: LimitSet): StoredItem =>
  toItem({
    ...limitSetTableKey(key),
    ...(key.owner.kind === 'policy' && set.limits.length > 0 && policyIndexKey(key.owner)),
    limits: set.limits.map(limitToJson),
    version: set.version,
    ...(set.since !== undefined && { since: set.since }),
    ...(set.hasNames && { has_names: true }),
  })

/** Throws an error that names the item if it is unreadable, or contains an invalid limit. */
export const toLimitSet = (item: StoredItem): LimitSet => {
  const read = createItemReader(item)
  try {
    return {
      limits: parseLimits(fromAttribute(item.limits), 'limits'),
      version: read.integer('version'),
      ...(item.since !== undefined && { since: read.integer('since') }),
      ...(item.has_names?.BOOL === true && { hasNames: true }),
    }
  } catch (cause) {
    throw cause instanceof ZaelError ? read.unreadable(cause.field ?? 'limits', cause) : cause
  }
}

/** Throws likewise, and if the item does not belong to a policy. */
const toPolicy = (item: StoredItem): Policy => {
  const read = createItemReader(item)
  const key = policyOf(read.text('PK'))
  if (key === undefined) throw read.unreadable('PK')
  return { key, limits: toLimitSet(item).limits }
}

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

/** Lists policies by the index, which contains only those with limits. */
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
