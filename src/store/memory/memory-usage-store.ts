import { entityBucket } from '../../core/bucket/bucket-store.ts'
import type { UsageStore } from '../../core/model/usage.ts'
import { createRecordHour, type HourKey } from '../usage-hours.ts'
import { hoursOf, type StoredHour, toUsagePoints } from '../usage-points.ts'
import { createMemoryBucketStore } from './memory-bucket-store.ts'

/** Hours of usage without an engine. */
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
