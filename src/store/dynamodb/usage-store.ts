import type { UsageStore } from '../../core/model/usage.ts'
import { createRecordHour, hoursOf, type StoredHour, toUsagePoints } from '../usage-hours.ts'
import { type StoredItem, toBucketItem, unreadable } from './attributes.ts'
import type { DynamoClient } from './client.ts'
import { createConditionalItems } from './conditional-items.ts'
import { entityPartition, usageHourKey, usageHourOf, usageHoursBetween } from './table-keys.ts'
import { createTableReads } from './table-reads.ts'

/** Hours of usage in the table, below their entity; one item per hour, resource and generation of a bucket. */
export const createDynamoUsageStore = (client: DynamoClient, tableName: string): UsageStore => {
  const items = createConditionalItems(client, tableName)
  const reads = createTableReads(client, tableName)
  return {
    record: createRecordHour(({ entityId, hourStart, resource, born }, write) =>
      items.write(usageHourKey(entityId, hourStart, resource, born), write),
    ),
    async usage(query) {
      const hours = hoursOf(query)
      const [from, to] = usageHoursBetween(hours.from, hours.to)
      const stored = await reads.partition(entityPartition(query.entityId), { from, to })
      return toUsagePoints(stored.map(toStoredHour), query)
    },
  }
}

const toStoredHour = (item: StoredItem): StoredHour => {
  const hour = usageHourOf(item.SK?.S ?? '')
  if (hour === undefined) throw unreadable(item, 'SK')
  return { ...hour, item: toBucketItem(item) }
}
