import { METERS } from '../core/model/meter.ts'
import { type Counters, HOUR_SECONDS } from '../core/model/usage.ts'
import type { StreamImage, StreamRecord } from './stream-record.ts'

/** Whose bucket an item is. Undefined: it is no entity's bucket. */
export type EntityBucketOf = (
  partitionKey: string,
  sortKey: string,
) => { readonly entityId: string; readonly resource: string } | undefined

/** One write to an entity's bucket, as the stream tells it. */
export interface BucketChange {
  readonly entityId: string
  readonly resource: string
  /** ns since the epoch: which life of the bucket */
  readonly born: bigint
  readonly rev: bigint
  /** Seconds since the epoch: the start of the hour of the write. */
  readonly hourStart: number
  /** All 0 where this life of the bucket began with the write. */
  readonly before: Counters
  readonly after: Counters
}

/** A record that no retry will cure. */
export class PoisonRecord extends Error {
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
 * What a record says of an entity's bucket; undefined where it is of no entity's bucket, or of one that went away.
 * Throws `PoisonRecord` where the bucket cannot be read.
 */
export const bucketChange = (
  record: StreamRecord,
  entityBucketOf: EntityBucketOf,
): BucketChange | undefined => {
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
  const sameLife = old?.born?.N !== undefined && integer(old, 'born') === born
  const known = sameLife ? counters(old) : {}
  const before = Object.fromEntries(Object.keys(after).map((name) => [name, known[name] ?? 0n]))
  return { ...bucket, born, rev: integer(image, 'rev'), hourStart: hourStartOf(time), before, after }
}
