import { fieldsOf, type LiveLimit } from './algorithm.ts'
import { keptUntil, numberIn, textIn, textPath, ttlSeconds, versionPath } from './bucket-item.ts'
import type { EffectiveLimit } from './effective-limit.ts'
import type { BucketItem, FieldValue } from './write.ts'

/*
 * A bucket that this process alone writes needs no conditional write: a charge within one turn of the event loop is atomic.
 * Such a bucket is kept as numbers that are changed in place, and becomes an item again where something else reads or writes
 * it (docs/decisions/059-charge-buckets-in-memory-in-place.md).
 */

/** Buckets of this process, to be charged in place. */
export interface LiveBuckets {
  /** The bucket with this key, at `now` (ns since the epoch); undefined if there is none, or numbers cannot represent it. */
  at(key: string, now: bigint): LiveBucket | undefined
  /** The item of the bucket as it is now. */
  itemAt(key: string): BucketItem | undefined
}

/** Calls of a live bucket to its store. */
export interface LiveBucketOwner {
  /** A charge was decided by the bucket: it is the most recently used one. */
  used(): void
  /** The bucket has ended: its item is the state from now on. */
  ended(): void
}

/** A limit of a live bucket. */
export interface HeldLimit {
  readonly name: string
  readonly text: string
  readonly version: bigint
  readonly state: LiveLimit
  /** Whether the bucket names the limit; a charge does. */
  isNamed: boolean
}

/** ns (26 days): how far the time of a live bucket may move before it is made anew, so that sums stay below 2^53. */
const LONGEST_NS = 2 ** 51

const isExact = (ns: number): boolean => Math.abs(ns) <= LONGEST_NS

/** A stored bucket, changed in place until `isEnded`. */
export class LiveBucket {
  /** True: the store has another state by now, as it was written, removed or evicted. */
  isEnded = false
  #item: BucketItem
  #now: bigint
  #movedNs = 0
  /** ns until the latest moment at which a limit may be full again without a later `ttl`. */
  #keptNs: number
  #held: readonly HeldLimit[] = []
  /** Charges, and counts, since `#item`. */
  #charges = 0
  #counts: Record<string, number> | undefined
  #ttl: bigint | undefined
  readonly #owner: LiveBucketOwner

  constructor(item: BucketItem, now: bigint, owner: LiveBucketOwner) {
    this.#item = item
    this.#now = now
    this.#owner = owner
    this.#keptNs = Number(keptUntil(item) - now)
  }

  /** The limit as this bucket keeps it; undefined if it keeps another of the name, or numbers cannot represent its state. */
  hold({ limit, algorithm, version }: EffectiveLimit): HeldLimit | undefined {
    const held = this.#held.find(({ name }) => name === limit.name)
    if (held !== undefined) return held.text === algorithm.text ? held : undefined
    const text = textIn(this.#item, limit.name)
    if (text !== undefined && text !== algorithm.text) return undefined
    const fields = text === undefined ? {} : fieldsOf(this.#item, limit.name)
    const state = algorithm.live?.(fields, this.#now)
    if (state === undefined) return undefined
    const made = { name: limit.name, text: algorithm.text, version, state, isNamed: text !== undefined }
    this.#held = [...this.#held, made]
    return made
  }

  /** Sets the time of all limits. False: the bucket has ended. */
  moveTo(now: bigint): boolean {
    if (now === this.#now) return true
    const elapsedNs = Number(now - this.#now)
    this.#now = now
    this.#movedNs += elapsedNs
    this.#keptNs -= elapsedNs
    const isMoved = isExact(elapsedNs) && isExact(this.#movedNs)
    if (isMoved && this.#held.every(({ state }) => state.moveTo(now, elapsedNs))) return true
    this.end()
    return false
  }

  /** Counts one charge, of limits that are full again within `fullInNs` whatever is charged now. */
  charged(fullInNs: number): void {
    this.#charges++
    this.#owner.used()
    if (fullInNs <= this.#keptNs) return
    const fullAt = this.#now + BigInt(fullInNs)
    this.#ttl = ttlSeconds(fullAt)
    this.#keptNs = Number(keptUntil({ ttl: this.#ttl }) - this.#now)
  }

  /** A denial uses the bucket as well: an exhausted one is not evicted while it is requested. */
  denied(): void {
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
    for (const held of this.#held) if (held.isNamed) writeTo(item, held)
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
