import type { Counters, UsageHour, UsageStore } from '../../src/core/usage/usage.ts'

const lower = (kept: Counters, given: Counters): Counters =>
  Object.fromEntries(
    Object.keys({ ...kept, ...given }).map((name) => {
      const [a, b] = [kept[name] ?? 0n, given[name] ?? 0n]
      return [name, a < b ? a : b]
    }),
  )

/** Totals by `<entity>#<resource>#<hour>`, of the counters that are not 0. */
export type Totals = Readonly<Record<string, Readonly<Record<string, number>>>>

export interface TestUsageStore extends Pick<UsageStore, 'record'> {
  totals(): Totals
  /** The next `writes` are carried out; those after it fail, until it is called again. */
  crashAfter(writes: number): void
}

/** The rule of `UsageStore.record`, in its plainest form. */
export const createTestUsageStore = (): TestUsageStore => {
  const hours = new Map<string, UsageHour>()
  let writesLeft = Number.POSITIVE_INFINITY
  return {
    async record(hour) {
      if (writesLeft === 0) throw new Error('crashed')
      writesLeft -= 1
      const key = `${hour.entityId}#${hour.resource}#${hour.hourStart}#${hour.born}`
      const kept = hours.get(key)
      if (kept === undefined) hours.set(key, hour)
      else hours.set(key, { ...(hour.rev > kept.rev ? hour : kept), from: lower(kept.from, hour.from) })
    },
    totals() {
      const totals: Record<string, Record<string, number>> = {}
      for (const { entityId, resource, hourStart, from, to } of hours.values()) {
        const key = `${entityId}#${resource}#${hourStart}`
        const total = totals[key] ?? {}
        for (const [name, count] of Object.entries(to)) {
          total[name] = (total[name] ?? 0) + Number(count - (from[name] ?? 0n))
        }
        totals[key] = total
      }
      return totals
    },
    crashAfter(writes) {
      writesLeft = writes
    },
  }
}
