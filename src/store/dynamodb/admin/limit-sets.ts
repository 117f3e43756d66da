import { parseLimits } from '../../../contract/limits.ts'
import { ZaelError } from '../../../core/model/errors.ts'
import { limitToJson } from '../../../core/model/json.ts'
import type { LimitSet, LimitSetKey, VersionedPolicy } from '../../../core/model/limit-set.ts'
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
  roleIndexKey,
  roleInIndexKey,
  SORT,
} from '../table-keys.ts'
import { type TableReads, wholeIndex } from '../table-reads.ts'
import { atVersion, type TableWrites } from '../table-writes.ts'
import { auditItem } from './audit.ts'

/**
 * The item of a set: limits with the field names of the API, as a list of maps. A tombstone has an empty list. Only policies and
 * roles with limits are in the index.
 */
export const limitSetItem = (key: LimitSetKey, set: LimitSet): StoredItem =>
  toItem({
    ...limitSetTableKey(key),
    ...(set.limits.length > 0 && indexKeyOf(key)),
    limits: set.limits.map(limitToJson),
    version: set.version,
    ...(set.since !== undefined && { since: set.since }),
    ...(set.hasNames && { has_names: true }),
  })

const indexKeyOf = ({ owner, resource }: LimitSetKey) => {
  if (owner.kind === 'policy') return policyIndexKey(owner)
  return owner.kind === 'role' ? roleIndexKey(owner.role, resource) : {}
}

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
const toPolicy = (item: StoredItem): VersionedPolicy => {
  const read = createItemReader(item)
  const key = policyOf(read.text('PK'))
  if (key === undefined) throw read.unreadable('PK')
  const { limits, version } = toLimitSet(item)
  return { key, limits, version }
}

type LimitSets = Pick<
  AdminStore,
  'limitSets' | 'putLimitSet' | 'limitedResources' | 'ownLimitSets' | 'limitedRoles'
>

const ownLimitSets =
  (reads: TableReads): AdminStore['ownLimitSets'] =>
  async (owner) => {
    const items = await reads.partition(ownerPartition(owner), { prefix: SORT.limitsOfAnyOwner })
    return items.flatMap((item) => {
      const resource = limitedResourceOf(item.SK?.S ?? '')
      const set = toLimitSet(item)
      return resource === undefined || set.limits.length === 0 ? [] : [{ resource, ...set }]
    })
  }

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
  limitedResources: async (owner) => (await ownLimitSets(reads)(owner)).map(({ resource }) => resource),
  ownLimitSets: ownLimitSets(reads),
  async limitedRoles() {
    const items = await wholeIndex(reads, INDEXED.roles)
    return [...new Set(items.map((item) => roleInIndexKey(item.GSI1SK?.S ?? '')))]
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
