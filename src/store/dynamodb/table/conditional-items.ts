import { ConditionalCheckFailedException, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import type { WriteOutcome } from '../../../core/bucket/bucket-store.ts'
import type { BucketItem, ConditionalWrite } from '../../../core/bucket/write.ts'
import { type StoredItem, toBucketItem, toItem } from '../attribute-values.ts'
import type { DynamoClient } from '../client.ts'
import type { TableKey } from '../table-keys.ts'
import { updateExpression } from '../update-expression.ts'
import { createItemThatFailed } from './failed-condition.ts'
import { createTableReads } from './table-reads.ts'

/** Items that are changed by conditional writes: buckets, hours of usage. */
export interface ConditionalItems {
  /** One UpdateItem; where the engine keeps the stored item to itself when a condition fails, also one GetItem. */
  write(key: TableKey, write: ConditionalWrite): Promise<WriteOutcome>
  read(key: TableKey): Promise<BucketItem | undefined>
}

/** Both methods throw `StoreUnavailable`. */
export const createConditionalItems = (client: DynamoClient, tableName: string): ConditionalItems => {
  const reads = createTableReads(client, tableName)
  const itemThatFailed = createItemThatFailed(reads.get)
  const toBucket = (item: StoredItem | undefined) => (item === undefined ? undefined : toBucketItem(item))

  return {
    read: async (key) => toBucket(await reads.get(key)),
    async write(key, write) {
      const command = new UpdateItemCommand({
        TableName: tableName,
        Key: toItem({ ...key }),
        ...updateExpression(write),
        ReturnValues: 'ALL_NEW',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      })
      try {
        const { Attributes = {} } = await client.run((sdk) => sdk.send(command))
        return { applied: true, item: toBucketItem(Attributes) }
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error
        return { applied: false, item: toBucket(await itemThatFailed(error, key)) }
      }
    },
  }
}
