import type { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import type { StoredItem } from '../attribute-values.ts'
import type { TableKey } from '../table-keys.ts'

/** The item that failed a condition: the engine's word, or a read where it keeps the item to itself, as dynalite does. */
export type ItemThatFailed = (
  error: ConditionalCheckFailedException,
  key: TableKey,
) => Promise<StoredItem | undefined>

export const createItemThatFailed = (
  read: (key: TableKey) => Promise<StoredItem | undefined>,
): ItemThatFailed => {
  /** Whether this engine has shown that it returns the item. */
  let returnsItems = false
  return async ({ Item }, key) => {
    if (Item === undefined || Object.keys(Item).length === 0) return returnsItems ? undefined : read(key)
    returnsItems = true
    return Item
  }
}
