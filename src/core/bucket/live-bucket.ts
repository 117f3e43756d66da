import { fieldsOf, type LiveLimit, type LiveOrigin, type LiveTime } from './algorithm.ts'
import { isVoidIn, keptUntil, numberIn, textIn, textPath, ttlSeconds, versionPath } from './bucket-item.ts'
import type { EffectiveLimit } from './effective-limit.ts'
import type { BucketItem, FieldValue } from './write.ts'

/*
 * A bucket that this process alone writes needs no conditional write: a charge within one turn of the event loop is atomic.
 * Such a bucket is kept as numbers that are changed in place, and becomes an item again where something else reads or writes
 * it (docs/decisions/059-charge-buckets-in-memory-in-place.md).
 */

/** Buckets of this process, to be charged in place. */
export interface LiveBuckets {
  /** `now` (ns since the epoch) as the buckets count it. */
  timeOf(now: bigint): LiveTime
  /** The bucket with this key; undefined if there is none. */
  at(key: string, time: LiveTime): LiveBucket | undefined
  /** The item of the bucket as it is now. */
  itemAt(key: string): BucketItem | undefined
}

/** Calls of a live bucket to its store. */
export interface LiveBucketOwner {
  /** The same object for all buckets of a store, so that a charge seldom reads the owner. */
  readonly periods: UsePeriods
  /** Called for the first charge or denial in a period. */
  used(): void
  /** The bucket has ended: its item is the state from now on. */
  ended(): void
}

/** The number of the current period, of which a store counts the first use of a bucket only. */
export interface UsePeriods {
  readonly current: number
}

/** A limit of a live bucket. */
export interface HeldLimit {
  readonly name: string
  readonly text: string
  readonly version: bigint
  readonly state: LiveLimit
  /** Whether the stored bucket names the limit; a charge does. */
  readonly isNamed: boolean
}

/** ns (26 days): how far times may be from their origin. */
const LONGEST_NS = 2n ** 51n

/** Computes times, the same object for the same time. A time too far from the origin becomes the next origin. */
export const createLiveTimes = (): LiveBuckets['timeOf'] => {
  let last: LiveTime = { now: 0n, ns: 0, origin: { at: 0n } }
  return (now) => {
    if (now === last.now) return last
    const sinceNs = now - last.origin.at
    const isNear = sinceNs <= LONGEST_NS && sinceNs >= -LONGEST_NS
    last = isNear ? { now, ns: Number(sinceNs), origin: last.origin } : { now, ns: 0, origin: { at: now } }
    return last
  }
}

/** A stored bucket, changed in place until `isEnded`. */
export class LiveBucket {
  /** True: the store has another state by now, as it was written, removed or evicted. */
  isEnded = false
  #item: BucketItem
  readonly #origin: LiveOrigin
  /** ns since the origin: the latest moment at which a limit may be full again without a later `ttl`. */
  #keptNs: number
  #held: readonly HeldLimit[] = []
  /** Charges, and counts, since `#item`. */
  #charges = 0
  #counts: Record<string, number> | undefined
  #ttl: bigint | undefined
  readonly #owner: LiveBucketOwner
  readonly #periods: UsePeriods
  #usedIn = 0

  constructor(item: BucketItem, { origin }: LiveTime, owner: LiveBucketOwner) {
    this.#item = item
    this.#origin = origin
    this.#owner = owner
    this.#periods = owner.periods
    this.#keptNs = Number(keptUntil(item) - origin.at)
  }

  /** The limit as this bucket keeps it; undefined if it keeps another of the name, or numbers cannot represent its state. */
  hold({ limit, algorithm, version, since }: EffectiveLimit, time: LiveTime): HeldLimit | undefined {
    const held = this.#held.find(({ name }) => name === limit.name)
    if (held !== undefined) return held.text === algorithm.text ? held : undefined
    const text = textIn(this.#item, limit.name)
    if (text !== undefined && text !== algorithm.text) return undefined
    if (isVoidIn(this.#item, limit.name, since)) return undefined
    const fields = text === undefined ? {} : fieldsOf(this.#item, limit.name)
    const state = algorithm.live?.(fields, time)
    if (state === undefined) return undefined
    const made = { name: limit.name, text: algorithm.text, version, state, isNamed: text !== undefined }
    this.#held = [...this.#held, made]
    return made
  }

  /** Whether its limits can be moved to `time`. */
  isOf({ origin }: LiveTime): boolean {
    return !this.isEnded && this.#origin === origin
  }

  /** Counts one charge, of limits that are full again `fullNs` after the origin, whatever is charged now. */
  charged(fullNs: number): void {
    this.#charges++
    this.#use()
    if (fullNs <= this.#keptNs) return
    this.#ttl = ttlSeconds(this.#origin.at + BigInt(fullNs))
    this.#keptNs = Number(keptUntil({ ttl: this.#ttl }) - this.#origin.at)
  }

  /** A denial uses the bucket as well: an exhausted one is not evicted while it is requested. */
  denied(): void {
    this.#use()
  }

  #use(): void {
    const { current } = this.#periods
    if (this.#usedIn === current) return
    this.#usedIn = current
    this.#owner.used()
  }

  /** Adds to a counter, `used_requests` or `denied`. */
  count(name: string, amount: number | bigint): void {
    if (amount <= 0) return
    this.#counts ??= {}
    const sum = (this.#counts[name] ?? 0) + Number(amount)
    if (Number.isSafeInteger(sum)) this.#counts[name] = sum
    else this.#countExactly(name, BigInt(amount))
  }

  /** For sums beyond the safe integers: single amounts reach 2^53 − 1. */
  #countExactly(name: string, amount: bigint): void {
    const item = this.item()
    this.#item = Object.freeze({ ...item, [name]: numberIn(item, name, 0n) + amount })
  }

  /** The bucket as an item. */
  item(): BucketItem {
    if (this.#charges === 0 && this.#counts === undefined) return this.#item
    const item: Record<string, FieldValue> = { ...this.#item }
    for (const held of this.#held) if (held.isNamed || held.state.isCharged) writeTo(item, held)
    for (const name in this.#counts)
      item[name] = numberIn(this.#item, name, 0n) + BigInt(this.#counts[name] ?? 0)
    item.rev = numberIn(this.#item, 'rev', 0n) + BigInt(this.#charges)
    if (this.#ttl !== undefined) item.ttl = this.#ttl
    this.#item = Object.freeze(item)
    this.#charges = 0
    this.#counts = undefined
    return item
  }

  /** Makes the item the state from now on. */
  end(): void {
    if (this.isEnded) return
    this.isEnded = true
    this.#owner.ended()
  }
}

const writeTo = (item: Record<string, FieldValue>, { name, text, version, state }: HeldLimit): void => {
  for (const [field, value] of Object.entries(state.fields()))
    item[`${name}_${field}`] = typeof value === 'object' ? Object.freeze(value) : value
  if (item[textPath(name)] !== undefined) return
  item[textPath(name)] = text
  item[versionPath(name)] = version
}
