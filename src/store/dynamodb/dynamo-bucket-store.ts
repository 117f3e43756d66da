import {
  ConditionalCheckFailedException,
  GetItemCommand,
  QueryCommand,
  type QueryCommandOutput,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import type { BucketId } from '../../core/bucket/bucket-id.ts'
import type { BucketStore, WriteOutcome } from '../../core/bucket/bucket-store.ts'
import type { BucketItem, ConditionalWrite } from '../../core/bucket/conditional-write.ts'
import { type StoredItem, toBucketItem, toItem } from './attribute-values.ts'
import { createClockCheck } from './calling/clock-check.ts'
import type { DynamoClient } from './client.ts'
import { afterPrefix, bucketTableKey, entityPartition, SORT } from './table-keys.ts'
import { updateExpression } from './update-expression.ts'

/** No item has this key: it is asked for only to hear the store's time. */
const NOWHERE = toItem({ PK: 'CLOCK', SK: 'CLOCK' })

/** Buckets in the table, one item each. A write is one UpdateItem. */
export const createDynamoBucketStore = (client: DynamoClient, tableName: string): BucketStore => {
  const get = async (key: StoredItem): Promise<BucketItem | undefined> => {
    const { Item } = await client.run((sdk) =>
      sdk.send(new GetItemCommand({ TableName: tableName, Key: key, ConsistentRead: true })),
    )
    return Item === undefined ? undefined : toBucketItem(Item)
  }
  const checkClock = createClockCheck(client.skew, () => get(NOWHERE))
  /** Whether this engine has shown that it returns the item on a failed condition; dynalite never does. */
  let returnsItems = false

  const failed = async (error: ConditionalCheckFailedException, key: StoredItem): Promise<WriteOutcome> => {
    if (error.Item !== undefined && Object.keys(error.Item).length > 0) {
      returnsItems = true
      return { applied: false, item: toBucketItem(error.Item) }
    }
    return { applied: false, item: returnsItems ? undefined : await get(key) }
  }

  const write = async (id: BucketId, conditionalWrite: ConditionalWrite): Promise<WriteOutcome> => {
    await checkClock()
    const key = toItem({ ...bucketTableKey(id) })
    const command = new UpdateItemCommand({
      TableName: tableName,
      Key: key,
      ...updateExpression(conditionalWrite),
      ReturnValues: 'ALL_NEW',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    })
    try {
      const { Attributes = {} } = await client.run((sdk) => sdk.send(command))
      return { applied: true, item: toBucketItem(Attributes) }
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return failed(error, key)
      throw error
    }
  }

  return {
    write,
    read: (id) => get(toItem({ ...bucketTableKey(id) })),
    list: (entityId) => list(client, tableName, entityId),
  }
}

const list: (client: DynamoClient, tableName: string, entityId: string) => ReturnType<BucketStore['list']> =
  async (client, tableName, entityId) => {
    const items: StoredItem[] = []
    let from: StoredItem | undefined
    do {
      const page: QueryCommandOutput = await client.run((sdk) =>
        sdk.send(
          new QueryCommand({
            TableName: tableName,
            ConsistentRead: true,
            KeyConditionExpression: '#pk = :pk AND begins_with(#sk, :prefix)',
            ExpressionAttributeNames: { '#pk': 'PK', '#sk': 'SK' },
            ExpressionAttributeValues: toItem({ ':pk': entityPartition(entityId), ':prefix': SORT.bucket }),
            ...(from !== undefined && { ExclusiveStartKey: from }),
          }),
        ),
      )
      items.push(...(page.Items ?? []))
      from = page.LastEvaluatedKey
    } while (from !== undefined)
    return items.map((item) => ({
      resource: afterPrefix(item.SK?.S ?? '', SORT.bucket),
      item: toBucketItem(item),
    }))
  }
