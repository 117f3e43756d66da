import { ZaelError } from '../../../core/model/errors.ts'
import type { LimitSet, LimitSetKey, Policy } from '../../../core/model/limit-set.ts'
import { limitToJson, parseLimits } from '../../../core/model/parse-limit.ts'
import { fromAttribute, type StoredItem, toItem } from '../attribute-values.ts'
import { limitSetTableKey, policyIndexKey, policyOf } from '../table-keys.ts'
import { createItemReader } from './item-reader.ts'

/**
 * A set's item: limits with the field names of the API, as a list of maps. A tombstone has an empty list, and is in no
 * index; a policy that has limits is.
 */
export const limitSetItem = (key: LimitSetKey, set: LimitSet): StoredItem =>
  toItem({
    ...limitSetTableKey(key),
    ...(key.owner.kind === 'policy' && set.limits.length > 0 && policyIndexKey(key.owner)),
    limits: set.limits.map(limitToJson),
    version: set.version,
  })

/** Throws an error that names the item where it cannot be read, or holds a limit that nobody could have put. */
export const toLimitSet = (item: StoredItem): LimitSet => {
  const read = createItemReader(item)
  try {
    return { limits: parseLimits(fromAttribute(item.limits), 'limits'), version: read.integer('version') }
  } catch (cause) {
    throw cause instanceof ZaelError ? read.unreadable(cause.field ?? 'limits', cause) : cause
  }
}

/** Throws likewise, and where the item is no policy's. */
export const toPolicy = (item: StoredItem): Policy => {
  const read = createItemReader(item)
  const key = policyOf(read.text('PK'))
  if (key === undefined) throw read.unreadable('PK')
  return { key, limits: toLimitSet(item).limits }
}
