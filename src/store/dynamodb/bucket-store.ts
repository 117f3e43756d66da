import type { BucketStore } from '../../core/bucket/bucket-store.ts'
import { toBucketItem, toItem } from './attributes.ts'
import type { DynamoClient } from './client.ts'
import { createClockCheck } from './clock-skew.ts'
import { createConditionalItems } from './conditional-items.ts'
import { afterPrefix, bucketTableKey, entityPartition, NOWHERE, SORT } from './table-keys.ts'
import { createTableReads } from './table-reads.ts'

export interface DynamoBucketStore extends BucketStore {
  /** Reads the table and compares the clocks. Throws `StoreUnavailable` if no decision could be written now. */
  checkHealth(): Promise<void>
}

/**
 * Buckets in the table, one item each; a write is one UpdateItem. Writes contain times, so none is sent while this machine's
 * clock is untrusted, or before it has been compared with the clock of the store.
 */
export const createDynamoBucketStore = (client: DynamoClient, tableName: string): DynamoBucketStore => {
  const items = createConditionalItems(client, tableName)
  const reads = createTableReads(client, tableName)
  const checkClock = createClockCheck(client, () => items.read(NOWHERE))
  return {
    async write(id, write) {
      if (client.skew.trust() !== 'trusted') await checkClock()
      return items.write(bucketTableKey(id), write)
    },
    read: (id) => items.read(bucketTableKey(id)),
    async checkHealth() {
      await items.read(NOWHERE)
      await checkClock()
    },
    async remove(id) {
      const input = { TableName: tableName, Key: toItem({ ...bucketTableKey(id) }) }
      await client.run((sdk, { DeleteItemCommand }) => sdk.send(new DeleteItemCommand(input)))
    },
    async list(entityId) {
      const stored = await reads.partition(entityPartition(entityId), { prefix: SORT.bucket })
      return stored.map((item) => ({
        resource: afterPrefix(item.SK?.S ?? '', SORT.bucket),
        item: toBucketItem(item),
      }))
    },
  }
}
