import { epochSeconds } from '../../core/model/json.ts'
import { type UsagePeriod, type UsageReader, usagePeriod } from '../../core/model/usage.ts'
import type { AdminStore } from '../../core/ports/admin-store.ts'
import type { Clock } from '../../core/ports/platform.ts'
import { type EntityUsage, type Traffic, trafficOf } from './traffic.ts'

export interface TrafficReading extends Traffic {
  readonly granularity: UsagePeriod['granularity']
  /** Seconds since the epoch. */
  readonly read_at: number
  readonly entities_read: number
  /** There are more entities than were read. */
  readonly is_partial: boolean
}

/** Each entity costs a query, so no more are read, by id. */
export const MOST_READ = 500
/** So few are read at once that decisions do not queue behind them, on an engine in this process neither. */
const AT_ONCE = 4
/** After so long no further one is begun. */
const LONGEST_NS = 5_000_000_000n

interface Needs {
  readonly store: Pick<AdminStore, 'listEntities'>
  readonly usage: UsageReader
  readonly clock: Clock
}

/** What entities were admitted and denied in the last day by hour, or in the last 30 days by day. */
export const readTraffic = async (
  needs: Needs,
  granularity: UsagePeriod['granularity'],
): Promise<TrafficReading> => {
  const { store, usage, clock } = needs
  const readAt = epochSeconds(clock.now())
  const until = clock.monotonic() + LONGEST_NS
  const period = usagePeriod({ granularity }, readAt)
  const { items, nextCursor } = await store.listEntities({ limit: MOST_READ })
  const usages: EntityUsage[] = []
  const next = items.values()
  const read = async (): Promise<void> => {
    for (const entity of next) {
      if (clock.monotonic() >= until) return
      usages.push({ entity, points: await usage.usage({ entityId: entity.id, ...period }) })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, read))
  return {
    granularity,
    read_at: readAt,
    entities_read: usages.length,
    is_partial: nextCursor !== null || usages.length < items.length,
    ...trafficOf(usages, period),
  }
}
