import { type Algorithm, fieldsOf, type LimitFields } from '../core/bucket/algorithm.ts'
import { numberIn } from '../core/bucket/bucket-item.ts'
import { type BucketId, bucketKey } from '../core/bucket/bucket-store.ts'
import { algorithmOfText } from '../core/bucket/registry.ts'
import type { BucketItem, FieldValue } from '../core/bucket/write.ts'
import { type Alert, type ReachedShare, SHARE_BOUNDS } from '../core/model/alert.ts'
import { TOTAL_RESOURCE } from '../core/model/limit-set.ts'
import { EVERY_NAME, isNameScope, nameOf, type PolicyKey } from '../core/model/policy.ts'
import { HOUR_NS, larger, MINUTE_NS, roundedUp, SECOND_NS } from '../core/model/time.ts'
import type { StreamAttribute, StreamImage, StreamRecord } from './stream-usage.ts'

/** The bucket of an item, by its key. Undefined if the item is no bucket. */
export type BucketOf = (partitionKey: string, sortKey: string) => BucketId | undefined

/** One write to a bucket, of an entity or of a policy. */
export interface BucketWrite {
  readonly bucket: BucketId
  /** The state before, of the same generation. */
  readonly before: BucketItem | undefined
  readonly after: BucketItem
  /** ns since the epoch */
  readonly at: bigint
}

/** The write to a bucket in a record; undefined if it concerns another item, deletes one, or is unreadable. */
export const bucketWriteOf = ({ dynamodb }: StreamRecord, bucketOf: BucketOf): BucketWrite | undefined => {
  const { Keys: keys, NewImage: image, OldImage: old, ApproximateCreationDateTime: time } = dynamodb ?? {}
  const bucket = bucketOf(keys?.PK?.S ?? '', keys?.SK?.S ?? '')
  const at = timeOf(time)
  if (bucket === undefined || image === undefined || at === undefined) return undefined
  const isSameGeneration = old?.born?.N === image.born?.N
  return { bucket, before: isSameGeneration && old ? itemOf(old) : undefined, after: itemOf(image), at }
}

/**
 * DynamoDB rounds times down to whole seconds, so such a time is taken as the end of its second: otherwise a bucket that
 * refills within a second would seem full of use after one charge.
 */
const timeOf = (time: number | Date | undefined): bigint | undefined => {
  const seconds = time instanceof Date ? time.getTime() / 1000 : time
  if (seconds === undefined || !Number.isFinite(seconds)) return undefined
  const ns = BigInt(Math.round(seconds * 1e6)) * 1000n
  return Number.isInteger(seconds) ? ns + SECOND_NS - 1n : ns
}

/** The readable attributes of a bucket. */
const itemOf = (image: StreamImage): BucketItem => {
  const item: Record<string, FieldValue> = {}
  for (const [name, attribute] of Object.entries(image)) {
    const value = fieldIn(attribute)
    if (value !== undefined) item[name] = value
  }
  return item
}

const INTEGER = /^-?\d{1,38}$/

const fieldIn = ({ S: text, N: number = '', M: map }: StreamAttribute): FieldValue | undefined => {
  if (text !== undefined) return text
  if (INTEGER.test(number)) return BigInt(number)
  if (map === undefined) return undefined
  const entries = Object.entries(map).filter(([, { N = '' }]) => INTEGER.test(N))
  return Object.fromEntries(entries.map(([name, { N = '' }]) => [name, BigInt(N)]))
}

/** Whether an alert observes a bucket. */
export const observes = ({ entityId, policy }: Alert, bucket: BucketId): boolean => {
  if (entityId === null && policy === null) return true
  return bucket.kind === 'entity' ? bucket.entityId === entityId : policy !== null && selects(policy, bucket)
}

/** A policy on names has a bucket for each name of each tenant. */
const selects = ({ scope, selector }: PolicyKey, bucket: PolicyKey): boolean => {
  if (scope !== bucket.scope) return false
  if (!isNameScope(scope)) return selector === bucket.selector
  return selector === EVERY_NAME || selector === nameOf(bucket)
}

/** The algorithms of texts, created once per batch: a calendar is evaluated once per window. */
export type Algorithms = (text: string) => Algorithm | undefined

export const createAlgorithms = (): Algorithms => {
  const created = new Map<string, Algorithm | undefined>()
  return (text) => {
    if (!created.has(text)) created.set(text, algorithmOfText(text))
    return created.get(text)
  }
}

/** The shares that a write reached, for each of `alerts`; the meters are not known yet. */
export const reachedShares = (
  write: BucketWrite,
  alerts: readonly Alert[],
  algorithms: Algorithms,
): readonly ReachedShare[] => {
  const observing = alerts.filter((alert) => observes(alert, write.bucket))
  if (observing.length === 0) return []
  return limitNames(write.after).flatMap((name) => {
    const ofLimit = observing.filter(({ limitName }) => limitName === null || limitName === name)
    const change = ofLimit.length === 0 ? undefined : changeOf(write, name, algorithms)
    if (change === undefined) return []
    return ofLimit.flatMap((alert) =>
      alert.shares
        .filter((share) => isReached(change, share, isNew(alert, write.at)))
        .map((share) => eventOf(write.bucket, change, alert.name, share, write.at)),
    )
  })
}

const TEXT = '_limit'

/** The limits of a bucket: `rpm_limit` contains the size of `rpm`. */
const limitNames = (item: BucketItem): readonly string[] =>
  Object.entries(item)
    .filter(([name, value]) => name.endsWith(TEXT) && typeof value === 'string')
    .map(([name]) => name.slice(0, -TEXT.length))

/** One limit before and after a write. */
interface LimitChange {
  readonly name: string
  readonly algorithm: Algorithm
  /** Millionths of tokens in use. */
  readonly used: bigint
  /** The use before; null: none, or irrelevant, because each window begins with nothing in use. */
  readonly before: { readonly used: bigint; readonly capacity: number } | null
  readonly hasDenied: boolean
  readonly window: ReachedShare['window']
}

/** Undefined if the write did not change the limit, it is paused, or it belongs to a later version of zael. */
const changeOf = (write: BucketWrite, name: string, algorithms: Algorithms): LimitChange | undefined => {
  const { before, after, at } = write
  const algorithm = algorithms(textOf(after, name))
  if (algorithm === undefined || algorithm.capacity === 0) return undefined
  const fields = fieldsOf(after, name)
  const hasDenied = hasDeniedSince(before, after, name)
  if (!hasDenied && before !== undefined && isSame(fields, fieldsOf(before, name))) return undefined
  const counted = windowOf(algorithm, fields)
  return {
    name,
    algorithm,
    used: algorithm.usedMillionths(fields, counted?.start ?? at),
    before: counted === undefined && before !== undefined ? useOf(before, name, algorithms, at) : null,
    hasDenied,
    window: reportedWindow(algorithm, counted, at),
  }
}

const hasDeniedSince = (before: BucketItem | undefined, after: BucketItem, name: string): boolean =>
  numberIn(after, `denied_${name}`, 0n) > numberIn(before, `denied_${name}`, 0n)

/** The use of a limit at a time; null if the bucket did not contain it. */
const useOf = (item: BucketItem, name: string, algorithms: Algorithms, at: bigint): LimitChange['before'] => {
  const algorithm = algorithms(textOf(item, name))
  return algorithm === undefined
    ? null
    : { used: algorithm.usedMillionths(fieldsOf(item, name), at), capacity: algorithm.capacity }
}

const textOf = (item: BucketItem, name: string): string => {
  const text = item[`${name}${TEXT}`]
  return typeof text === 'string' ? text : ''
}

/** Whether two states are the same. Maps are taken as different. */
const isSame = (a: LimitFields, b: LimitFields): boolean =>
  Object.keys(a).length === Object.keys(b).length &&
  Object.entries(a).every(([name, value]) => b[name] === value)

/** The window in which a state counts, independent of clocks: of a calendar, or from its first charge on. */
const windowOf = (algorithm: Algorithm, fields: LimitFields): ReachedShare['window'] | undefined => {
  if (typeof fields.w !== 'bigint') return undefined
  const { endsInNs } = algorithm.level(fields, fields.w)
  return endsInNs === undefined ? undefined : { start: fields.w, end: fields.w + endsInNs }
}

/**
 * The window in which a share is reported once: that of the limit, if it has one of at least an hour. Otherwise the period in
 * which the limit refills, counted from the epoch, and at least an hour: limits per minute would report every minute.
 */
const reportedWindow = (
  { windowNs }: Algorithm,
  counted: ReachedShare['window'] | undefined,
  at: bigint,
): ReachedShare['window'] => {
  if (counted !== undefined && windowNs >= HOUR_NS) return counted
  const periodNs = larger(windowNs, HOUR_NS)
  const start = ((counted?.start ?? at) / periodNs) * periodNs
  return { start, end: start + periodNs }
}

/** A new or changed alert also reports shares that were in use before, if a write shows them within this time. */
const NEW_FOR_NS = 10n * MINUTE_NS

const isNew = ({ changedAt }: Alert, at: bigint): boolean => at < changedAt + NEW_FOR_NS

/**
 * Costs that do not fit leave a rest, so a limit that denies rarely is in use to its last token. From this share on, a denial
 * counts as the whole.
 */
const FULL_IF_DENIED = 0.9

const isReached = (change: LimitChange, share: number, includesEarlier: boolean): boolean => {
  const { algorithm, used, before, hasDenied } = change
  const { capacity } = algorithm
  const isWhole = share > FULL_IF_DENIED && share <= 1
  if (hasDenied && isWhole && isInUse(used, capacity, FULL_IF_DENIED)) return true
  if (!isInUse(used, capacity, share)) return false
  // each window begins with nothing in use; without one, the share must have been less before
  return before === null || includesEarlier || !isInUse(before.used, before.capacity, share)
}

const MILLION = 1_000_000

/** Exact: shares are whole thousandths. */
const isInUse = (used: bigint, capacity: number, share: number): boolean =>
  used >=
  BigInt(Math.round(share * SHARE_BOUNDS.perUnit)) * BigInt(capacity) * BigInt(MILLION / SHARE_BOUNDS.perUnit)

const eventOf = (
  bucket: BucketId,
  { name, algorithm, used, window }: LimitChange,
  alert: string,
  share: number,
  at: bigint,
): ReachedShare => ({
  bucket: bucketKey(bucket),
  entityId: bucket.kind === 'entity' ? bucket.entityId : null,
  policy: bucket.kind === 'entity' ? null : { scope: bucket.scope, selector: bucket.selector },
  resource: bucket.kind === 'entity' ? bucket.resource : TOTAL_RESOURCE,
  alert,
  limitName: name,
  meter: null,
  share,
  window,
  used: Number(roundedUp(used, BigInt(MILLION))),
  capacity: algorithm.capacity,
  at,
})
