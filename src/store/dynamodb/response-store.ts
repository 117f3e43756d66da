import { SECOND_NS } from '../../core/model/time.ts'
import type { ResponseStore } from '../../core/ports/response-store.ts'
import { createItemReader, toIsoTime, toItem } from './attributes.ts'
import type { DynamoClient } from './client.ts'
import { modelResponseKey } from './table-keys.ts'
import { createTableReads } from './table-reads.ts'

/** The ids of `/v1/responses` in the table: one item each, which the table's TTL removes. */
export const createDynamoResponseStore = (client: DynamoClient, tableName: string): ResponseStore => {
  const reads = createTableReads(client, tableName)
  return {
    async keep({ entityId, id, tokens, expiresAt }) {
      const item = toItem({
        ...modelResponseKey(entityId, id),
        tokens,
        expires_at: toIsoTime(expiresAt),
        ttl: expiresAt / SECOND_NS,
      })
      await client.run((sdk, { PutItemCommand }) =>
        sdk.send(new PutItemCommand({ TableName: tableName, Item: item })),
      )
    },
    async tokensOf(entityId, id, now) {
      const item = await reads.get(modelResponseKey(entityId, id))
      if (item === undefined) return undefined
      const read = createItemReader(item)
      return read.time('expires_at') > now ? read.number('tokens') : undefined
    },
  }
}
