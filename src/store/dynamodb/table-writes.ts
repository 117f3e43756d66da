import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  PutItemCommand,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { StoreUnavailable } from '../../core/model/errors.ts'
import { type StoredItem, toItem } from './attributes.ts'
import type { DynamoClient } from './client.ts'
import type { TableKey } from './table-keys.ts'

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

/** Changes of several items. */
export interface TableWrites {
  /**
   * Applies all writes or none: undefined where they were applied, else the `otherwise` of the first whose condition
   * does not hold. On an engine without transactions they run in the given order, and what a failed condition leaves
   * behind is taken back; a crash in between leaves the first ones standing, so put first what does no harm alone.
   * At most 100 (`TRANSACTION_SIZE`), no item twice (but for a `recheck`). Throws `StoreUnavailable`.
   */
  apply<Answer extends string>(writes: readonly TableWrite<Answer>[]): Promise<Answer | undefined>
}

/** Asks the engine for a transaction, and remembers where it has none. */
export const createTableWrites = (client: DynamoClient, tableName: string): TableWrites => {
  let hasTransactions = true
  return {
    async apply(writes) {
      if (!hasTransactions) return writeOneByOne(client, tableName, writes)
      try {
        return await transact(client, tableName, writes)
      } catch (error) {
        if (!isUnknownOperation(error)) throw error
        hasTransactions = false
        return writeOneByOne(client, tableName, writes)
      }
    },
  }
}

const isUnknownOperation = (error: unknown): boolean =>
  error instanceof Error && error.name === 'UnknownOperationException'

/** As many items as one transaction takes. */
export const TRANSACTION_SIZE = 100

/** How often a change is tried that meets others under way. */
const TRIES = 4

/** All writes or none. Answers as `TableWrites.apply` does. */
export const transact = async <Answer extends string>(
  client: DynamoClient,
  tableName: string,
  writes: readonly TableWrite<Answer>[],
): Promise<Answer | undefined> => {
  const atOnce = writes.filter(({ does }) => does !== 'recheck')
  let met: unknown
  for (let tries = 0; tries < TRIES; tries += 1) {
    const canceled = await send(client, tableName, atOnce)
    if (canceled === undefined) return undefined
    const failed = failedCondition(atOnce, canceled)
    if (failed !== undefined) return failed
    met = canceled
  }
  throw new StoreUnavailable('The change met others again and again', { mayHaveApplied: false, cause: met })
}

const send = async (
  client: DynamoClient,
  tableName: string,
  writes: readonly TableWrite<string>[],
): Promise<TransactionCanceledException | undefined> => {
  const command = new TransactWriteItemsCommand({
    TransactItems: writes.map((write) => transactItem(tableName, write)),
  })
  try {
    await client.run((sdk) => sdk.send(command))
    return undefined
  } catch (error) {
    if (error instanceof TransactionCanceledException) return error
    throw error
  }
}

const transactItem = (tableName: string, write: TableWrite<string>): TransactWriteItem => {
  const common = { TableName: tableName, ...conditionInput(write.condition) }
  if (write.does === 'put') return { Put: { ...common, Item: write.item } }
  const Key = toItem({ ...write.key })
  if (write.does === 'delete') return { Delete: { ...common, Key } }
  return { ConditionCheck: { ...common, Key, ConditionExpression: write.condition.expression } }
}

const failedCondition = <Answer extends string>(
  writes: readonly TableWrite<Answer>[],
  canceled: TransactionCanceledException,
): Answer | undefined => {
  const reasons = canceled.CancellationReasons ?? []
  return writes[reasons.findIndex(({ Code }) => Code === 'ConditionalCheckFailed')]?.otherwise
}

/**
 * The writes in the given order, for engines without transactions. Where a condition does not hold, the items that the
 * writes before it have made are removed. Answers as `TableWrites.apply` does.
 */
export const writeOneByOne = async <Answer extends string>(
  client: DynamoClient,
  tableName: string,
  writes: readonly TableWrite<Answer>[],
): Promise<Answer | undefined> => {
  for (const [index, write] of writes.entries()) {
    if (await conditionHolds(client, tableName, write)) continue
    for (const done of writes.slice(0, index).reverse()) await undo(client, tableName, done)
    return write.otherwise
  }
  return undefined
}

/** Runs one write; false where its condition does not hold. */
const conditionHolds = async (
  client: DynamoClient,
  tableName: string,
  write: TableWrite<string>,
): Promise<boolean> => {
  try {
    await run(client, tableName, write)
    return true
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false
    throw error
  }
}

const run = async (client: DynamoClient, tableName: string, write: TableWrite<string>): Promise<void> => {
  const common = { TableName: tableName, ...conditionInput(write.condition) }
  if (write.does === 'put') {
    await client.run((sdk) => sdk.send(new PutItemCommand({ ...common, Item: write.item })))
    return
  }
  const Key = toItem({ ...write.key })
  // an UpdateItem without an expression changes nothing of an item that is there: it only checks
  if (write.does === 'delete') await client.run((sdk) => sdk.send(new DeleteItemCommand({ ...common, Key })))
  else await client.run((sdk) => sdk.send(new UpdateItemCommand({ ...common, Key })))
}

const undo = async (client: DynamoClient, tableName: string, write: TableWrite<string>): Promise<void> => {
  if (write.does !== 'put' || write.condition !== absent) return
  const { PK, SK } = write.item
  if (PK === undefined || SK === undefined) return
  await client.run((sdk) => sdk.send(new DeleteItemCommand({ TableName: tableName, Key: { PK, SK } })))
}
