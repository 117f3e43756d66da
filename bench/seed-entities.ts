import { BatchWriteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { newEntity } from '../src/core/admin/entities.ts'
import { entityItem } from '../src/store/dynamodb/admin/entities.ts'

/** The maximum number of items per BatchWriteItem. */
const AT_ONCE = 25

/** Writes entities `<prefix>-0000` and so on directly to the demo's table: the API accepts 120 per minute. */
export const seedEntities = async (tableUrl: string, prefix: string, count: number): Promise<void> => {
  const client = new DynamoDBClient({
    endpoint: tableUrl,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  })
  const ids = Array.from({ length: count }, (_, at) => `${prefix}-${String(at).padStart(4, '0')}`)
  for (let at = 0; at < count; at += AT_ONCE) {
    const puts = ids.slice(at, at + AT_ONCE).map((id) => ({ PutRequest: { Item: itemOf(id) } }))
    await client.send(new BatchWriteItemCommand({ RequestItems: { 'ZAEL-demo': puts } }))
  }
  client.destroy()
}

const itemOf = (id: string) => entityItem(newEntity({ id, name: id, kind: 'key' }, 1n))
