import type { TransactionCanceledException, TransactWriteItem } from '@aws-sdk/client-dynamodb'
import { StoreUnavailable } from '../../core/model/errors.ts'
import { type StoredItem, toItem } from './attributes.ts'
import type { DynamoClient } from './client.ts'
import { conditionHolds, isCanceledTransaction } from './store-error.ts'
import type { TableKey } from './table-keys.ts'

/** A condition on the item of a write. */
export interface ItemCondition {
  readonly expression: string
  readonly names: Record<string, string>
  readonly values?: StoredItem
}

/**
 * The write of one item in a change; `otherwise` is the result of the whole change if `condition` fails. A `recheck` is for
 * engines without transactions: it repeats a `check` after the writes in between.
 */
export type TableWrite<Failure extends string = never> =
  | ({ readonly does: 'put'; readonly item: StoredItem } & Guard<Failure>)
  | ({ readonly does: 'delete'; readonly key: TableKey } & Guard<Failure>)
  | {
      readonly does: 'check' | 'recheck'
      readonly key: TableKey
      readonly condition: ItemCondition
      readonly otherwise: Failure
    }

type Guard<Failure> =
  | { readonly condition: ItemCondition; readonly otherwise: Failure }
  | { readonly condition?: never; readonly otherwise?: never }

const names = { '#pk': 'PK' }

/** The item does not exist. */
export const absent: ItemCondition = { expression: 'attribute_not_exists(#pk)', names }

/** The item exists. */
export const present: ItemCondition = { expression: 'attribute_exists(#pk)', names }

/** The item still has this version; null: it does not exist; 0: it exists and has none. */
export const atVersion = (version: bigint | null): ItemCondition => {
  if (version === null) return absent
  if (version === 0n) return unversioned
  return {
    expression: '#version = :version',
    names: { '#version': 'version' },
    values: toItem({ ':version': version }),
  }
}

const unversioned: ItemCondition = {
  expression: 'attribute_exists(#pk) AND attribute_not_exists(#version)',
  names: { ...names, '#version': 'version' },
}

/** A condition as input of any write command. */
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
   * Applies all writes or none. Returns undefined if they were applied, else `otherwise` of the first write whose condition
   * failed. On an engine without transactions the writes run in the given order, and are undone after a failed condition; a
   * crash leaves the first ones, so order them such that these do no harm alone.
   * At most 100 writes (`TRANSACTION_SIZE`), one per item (except a `recheck`). Throws `StoreUnavailable`.
   */
  apply<Failure extends string>(writes: readonly TableWrite<Failure>[]): Promise<Failure | undefined>
}

/** Uses transactions until the engine reports that it has none. */
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

/** The most items of a transaction. */
export const TRANSACTION_SIZE = 100

/** Attempts for a change that conflicts with others. */
const TRIES = 4

/** All writes or none, with the result of `TableWrites.apply`. */
const transact = async <Failure extends string>(
  client: DynamoClient,
  tableName: string,
  writes: readonly TableWrite<Failure>[],
): Promise<Failure | undefined> => {
  const inTransaction = writes.filter(({ does }) => does !== 'recheck')
  let conflict: unknown
  for (let tries = 0; tries < TRIES; tries += 1) {
    const canceled = await send(client, tableName, inTransaction)
    if (canceled === undefined) return undefined
    const failed = failedCondition(inTransaction, canceled)
    if (failed !== undefined) return failed
    conflict = canceled
  }
  throw new StoreUnavailable('The change conflicted with others repeatedly', {
    mayHaveApplied: false,
    cause: conflict,
  })
}

const send = async (
  client: DynamoClient,
  tableName: string,
  writes: readonly TableWrite<string>[],
): Promise<TransactionCanceledException | undefined> => {
  const input = { TransactItems: writes.map((write) => transactItem(tableName, write)) }
  try {
    await client.run((sdk, { TransactWriteItemsCommand }) => sdk.send(new TransactWriteItemsCommand(input)))
    return undefined
  } catch (error) {
    if (isCanceledTransaction(error)) return error
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

const failedCondition = <Failure extends string>(
  writes: readonly TableWrite<Failure>[],
  canceled: TransactionCanceledException,
): Failure | undefined => {
  const reasons = canceled.CancellationReasons ?? []
  return writes[reasons.findIndex(({ Code }) => Code === 'ConditionalCheckFailed')]?.otherwise
}

/**
 * The writes in the given order, for engines without transactions. After a failed condition, the items that the preceding
 * writes created are removed. Result as `TableWrites.apply`.
 */
const writeOneByOne = async <Failure extends string>(
  client: DynamoClient,
  tableName: string,
  writes: readonly TableWrite<Failure>[],
): Promise<Failure | undefined> => {
  for (const [index, write] of writes.entries()) {
    if (await conditionHolds(run(client, tableName, write))) continue
    for (const done of writes.slice(0, index).reverse()) await undo(client, tableName, done)
    return write.otherwise
  }
  return undefined
}

const run = async (client: DynamoClient, tableName: string, write: TableWrite<string>): Promise<void> => {
  const common = { TableName: tableName, ...conditionInput(write.condition) }
  if (write.does === 'put') {
    const input = { ...common, Item: write.item }
    await client.run((sdk, { PutItemCommand }) => sdk.send(new PutItemCommand(input)))
    return
  }
  const Key = toItem({ ...write.key })
  // on an existing item, an UpdateItem without an update expression only checks the condition
  await client.run(async (sdk, { DeleteItemCommand, UpdateItemCommand }) =>
    write.does === 'delete'
      ? sdk.send(new DeleteItemCommand({ ...common, Key }))
      : sdk.send(new UpdateItemCommand({ ...common, Key })),
  )
}

const undo = async (client: DynamoClient, tableName: string, write: TableWrite<string>): Promise<void> => {
  if (write.does !== 'put' || write.condition !== absent) return
  const { PK, SK } = write.item
  if (PK === undefined || SK === undefined) return
  const input = { TableName: tableName, Key: { PK, SK } }
  await client.run((sdk, { DeleteItemCommand }) => sdk.send(new DeleteItemCommand(input)))
}
