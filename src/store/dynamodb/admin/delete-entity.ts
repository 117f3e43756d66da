import { StoreUnavailable } from '../../../core/model/errors.ts'
import type { LimitSetKey } from '../../../core/model/limit-set.ts'
import type { AdminStore, AuditRecord } from '../../../core/ports/admin-store.ts'
import type { StoredItem } from '../attributes.ts'
import {
  afterPrefix,
  childKey,
  entityApiKeyKey,
  entityKey,
  entityPartition,
  SORT,
  secretKey,
} from '../table-keys.ts'
import type { TableReads } from '../table-reads.ts'
import {
  atVersion,
  type ItemCondition,
  type TableWrite,
  type TableWrites,
  TRANSACTION_SIZE,
} from '../table-writes.ts'
import { secretHashOf, toApiKey } from './api-keys.ts'
import { auditItem } from './audit.ts'
import { toEntity } from './entities.ts'
import { limitSetItem, toLimitSet } from './limit-sets.ts'

/** Attempts of a deletion while the entity is changed concurrently. */
const TRIES = 4

/**
 * Deletes in steps, each of which leaves a consistent state: the entity is marked, so that it accepts no children; its keys are
 * deleted and its limits become tombstones; then the entity is deleted. After a crash, a marked entity without keys remains,
 * which the next deletion completes.
 */
export const createDeleteEntity = (
  reads: TableReads,
  writes: TableWrites,
  children: AdminStore['children'],
): AdminStore['deleteEntity'] => {
  const attempt = async (
    id: string,
    audit: AuditRecord,
    expectedVersion: bigint | undefined,
  ): Promise<'deleted' | 'has_children' | 'missing' | 'changed' | 'unexpected'> => {
    const stored = await reads.get(entityKey(id))
    if (stored === undefined) return 'missing'
    const { version, parentId } = toEntity(stored)
    if (isOther(version, expectedVersion)) return 'unexpected'
    const marked = { ...stored, deleting: { BOOL: true } }
    if (await writes.apply([replace(marked, atVersion(version))])) return 'changed'
    if ((await children(id)).length > 0) {
      await writes.apply([replace(without(stored, 'deleting'), atVersion(version))])
      return 'has_children'
    }
    await removeBelongings(reads, writes, id, audit)
    const failed = await writes.apply<'changed'>([
      { does: 'delete', key: entityKey(id), condition: markedAt(version), otherwise: 'changed' },
      ...childRemoval(parentId, id),
      { does: 'put', item: auditItem(audit) },
    ])
    return failed ?? 'deleted'
  }

  return async ({ id }, audit, expectedVersion) => {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const outcome = await attempt(id, audit, expectedVersion)
      if (outcome === 'unexpected') return 'changed'
      if (outcome !== 'changed') return outcome
    }
    throw new StoreUnavailable('The entity was changed repeatedly', { mayHaveApplied: false })
  }
}

const isOther = (version: bigint, expected: bigint | undefined): boolean =>
  expected !== undefined && version !== expected

const childRemoval = (parentId: string | null, id: string): readonly TableWrite[] =>
  parentId === null ? [] : [removal(childKey(parentId, id))]

const replace = (item: StoredItem, condition: ItemCondition): TableWrite<'changed'> => ({
  does: 'put',
  item,
  condition,
  otherwise: 'changed',
})

const without = (item: StoredItem, name: string): StoredItem =>
  Object.fromEntries(Object.entries(item).filter(([each]) => each !== name))

const markedAt = (version: bigint): ItemCondition => ({
  expression: '#version = :version AND attribute_exists(#deleting)',
  names: { '#version': 'version', '#deleting': 'deleting' },
  values: { ':version': { N: String(version) } },
})

const removeBelongings = async (
  reads: TableReads,
  writes: TableWrites,
  entityId: string,
  audit: AuditRecord,
): Promise<void> => {
  const below = (prefix: string) => reads.partition(entityPartition(entityId), { prefix })
  const removals = [
    ...(await below(SORT.key)).flatMap(keyRemovals),
    ...(await below(SORT.limits)).flatMap((item) => tombstone(entityId, item, audit.at)),
    // child items without an entity, left by a crash
    ...(await below(SORT.child)).map((row) =>
      removal(childKey(entityId, afterPrefix(row.SK?.S ?? '', SORT.child))),
    ),
  ]
  for (let at = 0; at < removals.length; at += TRANSACTION_SIZE)
    await writes.apply(removals.slice(at, at + TRANSACTION_SIZE))
}

const removal = (key: ReturnType<typeof childKey>): TableWrite => ({ does: 'delete', key })

/** The item that authenticates callers is deleted first. */
const keyRemovals = (row: StoredItem): readonly TableWrite[] => {
  const { entityId, keyId } = toApiKey(row)
  return [removal(secretKey(secretHashOf(row))), removal(entityApiKeyKey(entityId, keyId))]
}

const tombstone = (entityId: string, item: StoredItem, at: bigint): readonly TableWrite[] => {
  const { limits, version } = toLimitSet(item)
  if (limits.length === 0) return []
  const key: LimitSetKey = {
    owner: { kind: 'entity', id: entityId },
    resource: afterPrefix(item.SK?.S ?? '', SORT.limits),
  }
  return [{ does: 'put', item: limitSetItem(key, { limits: [], version: at > version ? at : version + 1n }) }]
}
