import type { BucketItem } from '../core/bucket/write.ts'
import { TOTAL_RESOURCE } from '../core/model/limit-set.ts'
import { METERS, type Meter } from '../core/model/meter.ts'
import { DAY_SECONDS, HOUR_SECONDS, type UsagePoint, type UsageQuery } from '../core/model/usage.ts'
import { countersOf } from './usage-hours.ts'

/** An hour of one life of a bucket, as it is stored. */
export interface StoredHour {
  readonly hourStart: number
  readonly resource: string
  readonly item: BucketItem
}

/** The hours that hold the points whose start lies in [from, to) of a query: seconds since the epoch. */
export const hoursOf = ({
  granularity,
  from,
  to,
}: UsageQuery): { readonly from: number; readonly to: number } => {
  const length = lengthOf(granularity)
  const align = (seconds: number): number => Math.ceil(seconds / length) * length
  return { from: align(from), to: align(to) }
}

/** Sums over the lives of a bucket, and over the hours of a day: oldest first, then by resource. */
export const toUsagePoints = (hours: readonly StoredHour[], query: UsageQuery): readonly UsagePoint[] => {
  const points = new Map<string, UsagePoint>()
  for (const hour of hours.filter(({ resource }) => isAskedFor(resource, query))) {
    const start = Math.floor(hour.hourStart / lengthOf(query.granularity)) * lengthOf(query.granularity)
    const key = `${start}#${hour.resource}`
    points.set(key, plus(points.get(key) ?? nothing(start, hour.resource), hour.item))
  }
  return [...points.values()].sort((a, b) => a.start - b.start || (a.resource < b.resource ? -1 : 1))
}

const lengthOf = (granularity: UsageQuery['granularity']): number =>
  granularity === 'hour' ? HOUR_SECONDS : DAY_SECONDS

const isAskedFor = (resource: string, { resource: asked }: UsageQuery): boolean =>
  asked === undefined ? resource !== TOTAL_RESOURCE : resource === asked

const nothing = (start: number, resource: string): UsagePoint => ({
  start,
  resource,
  used: { requests: 0, tokens: 0, input_tokens: 0, output_tokens: 0, cost_usd_micros: 0 },
  denied: 0,
})

const plus = (point: UsagePoint, item: BucketItem): UsagePoint => {
  const used: Record<Meter, number> = { ...point.used }
  for (const meter of METERS) used[meter] += grown(item, `used_${meter}`)
  return { ...point, used, denied: point.denied + grown(item, 'denied') }
}

/** How much a counter has grown within the hour. */
const grown = (item: BucketItem, counter: string): number =>
  Number((countersOf(item, 'to')[counter] ?? 0n) - (countersOf(item, 'from')[counter] ?? 0n))
