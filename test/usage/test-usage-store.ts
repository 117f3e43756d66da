import type { UsageStore } from '../../src/core/model/usage.ts'
import { createMemoryUsageStore } from '../support/memory-usage-store.ts'

/** Totals by `<entity>#<resource>#<hour>`, of the counters that are not 0. */
export type Totals = Readonly<Record<string, Readonly<Record<string, number>>>>

export interface TestUsageStore extends Pick<UsageStore, 'record'> {
  totals(): Promise<Totals>
  /** The next `writes` succeed; later ones fail until the next call. */
  crashAfter(writes: number): void
}

const END_OF_TIME = 9_999_999_999

const withoutZeros = (counters: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(counters).filter(([, count]) => count !== 0))

/** The memory store, with injected failures, and all totals readable at once. */
export const createTestUsageStore = (): TestUsageStore => {
  const store = createMemoryUsageStore()
  const entities = new Set<string>()
  let writesLeft = Number.POSITIVE_INFINITY
  return {
    async record(hour) {
      if (writesLeft === 0) throw new Error('crashed')
      writesLeft -= 1
      entities.add(hour.entityId)
      await store.record(hour)
    },
    async totals() {
      const totals: Record<string, Readonly<Record<string, number>>> = {}
      for (const entityId of entities) {
        const points = await store.usage({ entityId, granularity: 'hour', from: 0, to: END_OF_TIME })
        for (const { resource, start, used, denied } of points) {
          totals[`${entityId}#${resource}#${start}`] = withoutZeros({ ...used, denied })
        }
      }
      return totals
    },
    crashAfter(writes) {
      writesLeft = writes
    },
  }
}
