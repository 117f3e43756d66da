import { type StoredItem, toItem } from '../attribute-values.ts'
import type { TableKey } from '../table-keys.ts'

/** What must hold of the item that a write is about. */
export interface ItemCondition {
  readonly expression: string
  readonly names: Record<string, string>
  readonly values?: StoredItem
}

/**
 * One item's part of a change; `otherwise` is the answer of the whole change where `condition` does not hold.
 * A `recheck` is for engines without transactions: what was checked at first must still hold after the writes between.
 */
export type TableWrite<Answer extends string = never> =
  | ({ readonly does: 'put'; readonly item: StoredItem } & Guard<Answer>)
  | ({ readonly does: 'delete'; readonly key: TableKey } & Guard<Answer>)
  | {
      readonly does: 'check' | 'recheck'
      readonly key: TableKey
      readonly condition: ItemCondition
      readonly otherwise: Answer
    }

type Guard<Answer> =
  | { readonly condition: ItemCondition; readonly otherwise: Answer }
  | { readonly condition?: never; readonly otherwise?: never }

const names = { '#pk': 'PK' }

/** There is no such item yet. */
export const absent: ItemCondition = { expression: 'attribute_not_exists(#pk)', names }

/** There is such an item. */
export const present: ItemCondition = { expression: 'attribute_exists(#pk)', names }

/** The item still has the version that was seen; null: there is none yet. */
export const atVersion = (version: bigint | null): ItemCondition =>
  version === null
    ? absent
    : {
        expression: '#version = :version',
        names: { '#version': 'version' },
        values: toItem({ ':version': version }),
      }

/** A condition as every write of the SDK takes it. */
export const conditionInput = (condition: ItemCondition | undefined) =>
  condition === undefined
    ? {}
    : {
        ConditionExpression: condition.expression,
        ExpressionAttributeNames: condition.names,
        ...(condition.values !== undefined && { ExpressionAttributeValues: condition.values }),
      }
