import { ConditionalCheckFailedException, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import type { WriteOutcome } from '../../../core/bucket/bucket-store.ts'
import type { BucketItem, ConditionalWrite } from '../../../core/bucket/conditional-write.ts'
import { toBucketItem, toItem } from '../attribute-values.ts'
import type { DynamoClient } from '../client.ts'
import type { TableKey } from '../table-keys.ts'
import { updateExpression } from '../update-expression.ts'

/** Items that are changed by conditional writes: buckets, hours of usage. */
export interface ConditionalItems {
  /** One UpdateItem; where the engine keeps the stored item to itself when a condition fails, also one GetItem. */
  write(key: TableKey, write: ConditionalWrite): Promise<WriteOutcome>
  read(key: TableKey): Promise<BucketItem | undefined>
}

/** Both methods throw `StoreUnavailable`. */
export const createConditionalItems = (client: DynamoClient, tableName: string): ConditionalItems => {
  /** Whether this engine has shown that it returns the item on a failed condition; dynalite never does. */
  let returnsItems = false

  const read = async (key: TableKey): Promise<BucketItem | undefined> => {
    const command = new GetItemCommand({
      TableName: tableName,
      Key: toItem({ ...key }),
      ConsistentRead: true,
    })
    const { Item } = await client.run((sdk) => sdk.send(command))
    return Item === undefined ? undefined : toBucketItem(Item)
  }

  const stateAfterFailure = async (
    { Item }: ConditionalCheckFailedException,
    key: TableKey,
  ): Promise<BucketItem | undefined> => {
    if (Item === undefined || Object.keys(Item).length === 0) return returnsItems ? undefined : read(key)
    returnsItems = true
    return toBucketItem(Item)
  }

  return {
    read,
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
        return { applied: false, item: await stateAfterFailure(error, key) }
      }
    },
  }
}
