import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { toItem } from '../attribute-values.ts'
import type { DynamoClient } from '../client.ts'
import { absent, conditionInput, type TableWrite } from './table-write.ts'

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
    if (await holds(client, tableName, write)) continue
    for (const done of writes.slice(0, index).reverse()) await undo(client, tableName, done)
    return write.otherwise
  }
  return undefined
}

/** Runs one write; false where its condition does not hold. */
const holds = async (
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
