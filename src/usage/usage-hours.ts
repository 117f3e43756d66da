import type { UsageHour } from '../core/model/usage.ts'
import { type BucketChange, bucketChange, type EntityBucketOf, PoisonRecord } from './bucket-change.ts'
import type { StreamRecord } from './stream-record.ts'

/** What is to be written for one hour of one life of a bucket, and the first record it was made of. */
export interface BatchHour {
  readonly hour: UsageHour
  /** The place in the batch of the first record of that bucket's life: where to read again if the write fails. */
  readonly firstRecord: number
}

export interface BatchUsage {
  readonly hours: readonly BatchHour[]
  readonly poison: readonly { readonly record: number; readonly reason: string }[]
}

interface PlacedChange extends BucketChange {
  readonly record: number
}

const byLife = (changes: readonly PlacedChange[]): readonly PlacedChange[][] => {
  const lives = new Map<string, PlacedChange[]>()
  for (const change of changes) {
    const key = `${change.entityId}#${change.resource}#${change.born}`
    const life = lives.get(key)
    if (life === undefined) lives.set(key, [change])
    else life.push(change)
  }
  return [...lives.values()]
}

/**
 * In the order of `rev`: a stream keeps the order of one item, a redriven batch need not. Clocks of DynamoDB's nodes differ, so
 * a write of an item is never assigned to an earlier hour than the write before it.
 */
const withoutGoingBack = (life: readonly PlacedChange[]): readonly PlacedChange[] => {
  let hourStart = 0
  return life
    .toSorted((a, b) => (a.rev < b.rev ? -1 : Number(a.rev > b.rev)))
    .map((change) => {
      hourStart = Math.max(hourStart, change.hourStart)
      return { ...change, hourStart }
    })
}

const grew = ({ from, to }: UsageHour): boolean =>
  Object.entries(to).some(([name, count]) => count !== from[name])

const fromZero = (from: UsageHour['from'], to: UsageHour['to']): UsageHour['from'] =>
  Object.fromEntries(Object.keys(to).map((name) => [name, from[name] ?? 0n]))

const hoursOfLife = (life: readonly PlacedChange[]): readonly BatchHour[] => {
  const firstRecord = Math.min(...life.map((change) => change.record))
  const hours = new Map<number, UsageHour>()
  for (const change of withoutGoingBack(life)) {
    const { entityId, resource, born, hourStart, rev, after } = change
    const from = fromZero(hours.get(hourStart)?.from ?? change.before, after)
    hours.set(hourStart, { entityId, resource, born, hourStart, rev, from, to: after })
  }
  // a chat writes its bucket twice and only its settlement counts: writing both hours would double the aggregator's writes
  return [...hours.values()].filter(grew).map((hour) => ({ hour, firstRecord }))
}

const placedChange = (
  record: StreamRecord,
  place: number,
  entityBucketOf: EntityBucketOf,
): PlacedChange | { readonly record: number; readonly reason: string } | undefined => {
  try {
    const change = bucketChange(record, entityBucketOf)
    return change && { ...change, record: place }
  } catch (error) {
    if (!(error instanceof PoisonRecord)) throw error
    return { record: place, reason: error.message }
  }
}

/**
 * The use that a batch of stream records tells of: per life of an entity's bucket and hour, the counters before the
 * first and after the last change. Pure; records of one item may come in any order, and more than once.
 */
export const usageHours = (records: readonly StreamRecord[], entityBucketOf: EntityBucketOf): BatchUsage => {
  const read = records.map((record, place) => placedChange(record, place, entityBucketOf))
  const poison = read.flatMap((outcome) => (outcome !== undefined && 'reason' in outcome ? [outcome] : []))
  const changes = read.flatMap((outcome) => (outcome !== undefined && 'born' in outcome ? [outcome] : []))
  return { hours: byLife(changes).flatMap(hoursOfLife), poison }
}
