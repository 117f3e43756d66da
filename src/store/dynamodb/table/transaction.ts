import {
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb'
import { StoreUnavailable } from '../../../core/model/errors.ts'
import { toItem } from '../attribute-values.ts'
import type { DynamoClient } from '../client.ts'
import { conditionInput, type TableWrite } from './table-write.ts'

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
    TransactItems: writes.map((write) => part(tableName, write)),
  })
  try {
    await client.run((sdk) => sdk.send(command))
    return undefined
  } catch (error) {
    if (error instanceof TransactionCanceledException) return error
    throw error
  }
}

const part = (tableName: string, write: TableWrite<string>): TransactWriteItem => {
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
