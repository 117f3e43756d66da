import { entityBucket } from '../../src/core/bucket/bucket-store.ts'
import type { UsageStore } from '../../src/core/model/usage.ts'
import { createMemoryBucketStore } from '../../src/store/memory/bucket-store.ts'
import {
  createRecordHour,
  type HourKey,
  hoursOf,
  type StoredHour,
  toUsagePoints,
} from '../../src/store/usage-hours.ts'

/** A usage store in memory. */
export const createMemoryUsageStore = (): UsageStore => {
  const items = createMemoryBucketStore()
  const keys = new Map<string, HourKey>()
  return {
    record: createRecordHour((key, write) => {
      const name = `${key.hourStart}#${key.resource}#${key.born}`
      keys.set(name, { ...key })
      return items.write(entityBucket(key.entityId, name), write)
    }),
    async usage(query) {
      const { from, to } = hoursOf(query)
      const hours = (await items.list(query.entityId)).flatMap(({ resource: name, item }): StoredHour[] => {
        const key = keys.get(name)
        return key === undefined || key.hourStart < from || key.hourStart >= to ? [] : [{ ...key, item }]
      })
      return toUsagePoints(hours, query)
    },
  }
}
