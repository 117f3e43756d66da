import type { BucketId, BucketStore, WriteOutcome } from '../../core/bucket/bucket-store.ts'
import type { BucketItem, ConditionalWrite } from '../../core/bucket/write.ts'
import { applyActions, checkActions, checkConditions, holds } from './conditional-write.ts'

/** A bucket store in memory: for a single process, local fallback, simulations and tests. */
export interface MemoryBucketStore extends BucketStore {
  /** Removes a bucket, as the TTL of DynamoDB does. */
  expire(id: BucketId): void
}

const EMPTY: BucketItem = Object.freeze({})

/**
 * Applies conditional writes by the rules of DynamoDB: a malformed write is rejected with the same `ValidationException`. Each
 * write runs in one turn of the event loop, so it is atomic. Items are frozen.
 */
export const createMemoryBucketStore = (): MemoryBucketStore => {
  const partitions = new Map<string, Map<string, BucketItem>>()
  const find = (id: BucketId): BucketItem | undefined => partitions.get(partitionOf(id))?.get(sortOf(id))
  const put = (id: BucketId, item: BucketItem): void => {
    const key = partitionOf(id)
    const partition = partitions.get(key)
    if (partition === undefined) partitions.set(key, new Map([[sortOf(id), item]]))
    else partition.set(sortOf(id), item)
  }

  const write = (id: BucketId, write: ConditionalWrite): WriteOutcome => {
    checkConditions(write.conditions)
    checkActions(write.actions)
    const stored = find(id)
    const before = stored ?? EMPTY
    if (!write.conditions.every((condition) => holds(condition, before)))
      return { applied: false, item: stored }
    const item = applyActions(before, write.actions)
    put(id, item)
    return { applied: true, item }
  }

  const drop = (id: BucketId): void => {
    const partition = partitions.get(partitionOf(id))
    partition?.delete(sortOf(id))
    if (partition?.size === 0) partitions.delete(partitionOf(id))
  }

  return {
    write: async (id, conditionalWrite) => write(id, conditionalWrite),
    read: async (id) => find(id),
    list: async (entityId) =>
      Array.from(partitions.get(entityId) ?? [], ([resource, item]) => ({ resource, item })),
    remove: async (id) => drop(id),
    expire: drop,
  }
}

/** No id contains a `#`, so no entity shares a partition with a policy. */
const partitionOf = (id: BucketId): string =>
  id.kind === 'entity' ? id.entityId : `POLICY#${id.scope}#${id.selector}`

const sortOf = (id: BucketId): string => (id.kind === 'entity' ? id.resource : 'BUCKET')
