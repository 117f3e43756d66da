import { METERS } from '../core/model/meter.ts'
import { HOUR_SECONDS } from '../core/model/time.ts'
import type { Counters, UsageHour } from '../core/model/usage.ts'

/** An attribute in DynamoDB's format; only the types that buckets use. */
export interface StreamAttribute {
  readonly S?: string | undefined
  readonly N?: string | undefined
  readonly M?: Readonly<Record<string, StreamAttribute>> | undefined
}

export type StreamImage = Readonly<Record<string, StreamAttribute>>

/**
 * The part of a DynamoDB stream record that the aggregator reads. Lambda's events, the responses of the streams API and the
 * embedded feed all have this shape: the time is seconds since the epoch in the first, a Date in the second.
 */
export interface StreamRecord {
  readonly dynamodb?:
    | {
        readonly Keys?: StreamImage | undefined
        readonly OldImage?: StreamImage | undefined
        readonly NewImage?: StreamImage | undefined
        /** Always present in practice; an empty one is reported as a failure of the whole batch. */
        readonly SequenceNumber?: string | undefined
        readonly ApproximateCreationDateTime?: number | Date | undefined
      }
    | undefined
}

/** A batch as a Lambda receives it. */
export interface StreamEvent {
  readonly Records: readonly StreamRecord[]
}

/** The records that failed: a stream is read again from the first of them. */
export interface StreamBatchResponse {
  batchItemFailures: { itemIdentifier: string }[]
}

/** The entity and resource of a bucket item. Undefined if the item is not an entity's bucket. */
export type EntityBucketOf = (
  partitionKey: string,
  sortKey: string,
) => { readonly entityId: string; readonly resource: string } | undefined

/** One write to an entity's bucket, read from the stream. */
export interface BucketChange {
  readonly entityId: string
  readonly resource: string
  /** ns since the epoch; identifies the bucket's generation */
  readonly born: bigint
  readonly rev: bigint
  /** Seconds since the epoch: the start of the hour of the write. */
  readonly hourStart: number
  /** All 0 if the write began this generation of the bucket. */
  readonly before: Counters
  readonly after: Counters
}

/** A record, by its index in the batch, that must be delivered again. */
export interface RecordFailure {
  readonly record: number
  readonly reason: string
}

/** A record that fails at every attempt. */
class PoisonRecord extends Error {
  override readonly name = 'PoisonRecord'
}

const COUNTERS: readonly string[] = [...METERS.map((meter) => `used_${meter}`), 'denied']

const INTEGER = /^\d{1,38}$/

const integer = (image: StreamImage, name: string): bigint => {
  const text = image[name]?.N
  if (text === undefined || !INTEGER.test(text))
    throw new PoisonRecord(`${name} is not a whole number: ${text}`)
  return BigInt(text)
}

const counters = (image: StreamImage): Counters =>
  Object.fromEntries(
    COUNTERS.filter((name) => image[name] !== undefined).map((name) => [name, integer(image, name)]),
  )

const hourStartOf = (time: number | Date | undefined): number => {
  const seconds = time instanceof Date ? time.getTime() / 1000 : time
  if (seconds === undefined || !Number.isFinite(seconds)) throw new PoisonRecord('the record has no time')
  return Math.floor(seconds / HOUR_SECONDS) * HOUR_SECONDS
}

/**
 * The change of an entity's bucket in a record. Undefined if the record concerns another item, or a deleted bucket. Throws
 * `PoisonRecord` if the bucket cannot be read.
 */
const bucketChange = (record: StreamRecord, entityBucketOf: EntityBucketOf): BucketChange | undefined => {
  const {
    Keys: keys,
    NewImage: image,
    OldImage: old,
    ApproximateCreationDateTime: time,
  } = record.dynamodb ?? {}
  const bucket = entityBucketOf(keys?.PK?.S ?? '', keys?.SK?.S ?? '')
  if (bucket === undefined || image === undefined) return undefined
  const born = integer(image, 'born')
  const after = counters(image)
  const isSameGeneration = old?.born?.N !== undefined && integer(old, 'born') === born
  const previous = isSameGeneration ? counters(old) : {}
  const before = Object.fromEntries(Object.keys(after).map((name) => [name, previous[name] ?? 0n]))
  return { ...bucket, born, rev: integer(image, 'rev'), hourStart: hourStartOf(time), before, after }
}

/** The usage of one generation of a bucket in one hour. */
export interface BatchHour {
  readonly hour: UsageHour
  /** The index in the batch of the generation's first record: reading resumes there if the write fails. */
  readonly firstRecord: number
}

export interface BatchUsage {
  readonly hours: readonly BatchHour[]
  readonly poison: readonly RecordFailure[]
}

interface PlacedChange extends BucketChange {
  readonly record: number
}

const byGeneration = (changes: readonly PlacedChange[]): readonly PlacedChange[][] => {
  const generations = new Map<string, PlacedChange[]>()
  for (const change of changes) {
    const key = `${change.entityId}#${change.resource}#${change.born}`
    const generation = generations.get(key)
    if (generation === undefined) generations.set(key, [change])
    else generation.push(change)
  }
  return [...generations.values()]
}

/**
 * In the order of `rev`: a stream keeps the order of one item, a redriven batch need not. Clocks of DynamoDB's nodes differ, so
 * a write of an item is never assigned to an earlier hour than the write before it.
 */
const withMonotonicHours = (generation: readonly PlacedChange[]): readonly PlacedChange[] => {
  let hourStart = 0
  return generation
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

const hoursOfGeneration = (generation: readonly PlacedChange[]): readonly BatchHour[] => {
  const firstRecord = Math.min(...generation.map((change) => change.record))
  const hours = new Map<number, UsageHour>()
  for (const change of withMonotonicHours(generation)) {
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
): PlacedChange | RecordFailure | undefined => {
  try {
    const change = bucketChange(record, entityBucketOf)
    return change && { ...change, record: place }
  } catch (error) {
    if (!(error instanceof PoisonRecord)) throw error
    return { record: place, reason: error.message }
  }
}

/**
 * The usage in a batch of stream records: for each generation of an entity's bucket and each hour, the counters before the
 * first and after the last change. Pure. Records of one item may come in any order, and more than once.
 */
export const usageOfBatch = (
  records: readonly StreamRecord[],
  entityBucketOf: EntityBucketOf,
): BatchUsage => {
  const read = records.map((record, place) => placedChange(record, place, entityBucketOf))
  const poison = read.flatMap((outcome) => (outcome !== undefined && 'reason' in outcome ? [outcome] : []))
  const changes = read.flatMap((outcome) => (outcome !== undefined && 'born' in outcome ? [outcome] : []))
  return { hours: byGeneration(changes).flatMap(hoursOfGeneration), poison }
}
