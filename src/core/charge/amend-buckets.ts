import { fieldsOf } from '../bucket/algorithm.ts'
import {
  numberIn,
  type PrefixedWrite,
  prefixed,
  sameGeneration,
  textIn,
  textPath,
  unchangedSince,
} from '../bucket/bucket-item.ts'
import type { BucketId } from '../bucket/bucket-store.ts'
import { algorithmOfText } from '../bucket/registry.ts'
import {
  type Action,
  add,
  type BucketItem,
  type ConditionalWrite,
  equal,
  remove,
  set,
} from '../bucket/write.ts'
import { ZaelError } from '../model/errors.ts'
import type { CachedBuckets } from './cached-buckets.ts'

/** Counters. Limits are never named `used`, `denied`, `used_…` or `denied_…`, but may be named `deniedlogins`. */
const COUNTER = /^(used_|denied(_|$))/

/** The limit of a bucket to amend; all of them if none is named. */
interface LimitSelection {
  readonly limitName?: string
}

/** The bound of the amendment loop. On a busy bucket, other writes come first; an item takes about 1,000 per second. */
const MAX_TRIES = 20

/**
 * Refills limits. Starts a new generation of the bucket with its counters at 0, so that earlier reservations and cached states
 * are void. Throws `ZaelError('conflict')` if other writes come first at every try.
 */
export const resetBuckets = (
  store: CachedBuckets,
  buckets: readonly BucketId[],
  { limitName }: LimitSelection,
  now: bigint,
): Promise<void> => amend(store, buckets, (item) => resetWrite(item, limitName, now))

/** Refunds `amount` of any earlier charges; without an amount, everything that is in use. */
export const topUpBuckets = (
  store: CachedBuckets,
  buckets: readonly BucketId[],
  selection: LimitSelection & { readonly amount?: number },
  now: bigint,
): Promise<void> => amend(store, buckets, (item) => topUpWrite(item, selection, now))

const amend = async (
  store: CachedBuckets,
  buckets: readonly BucketId[],
  writeFor: (item: BucketItem) => ConditionalWrite | undefined,
): Promise<void> => {
  await Promise.all(buckets.map((bucket) => amendOne(store, bucket, writeFor)))
}

const amendOne = async (
  store: CachedBuckets,
  bucket: BucketId,
  writeFor: (item: BucketItem) => ConditionalWrite | undefined,
): Promise<void> => {
  let item = await store.read(bucket)
  for (let tries = MAX_TRIES; tries > 0; tries--) {
    const write = item && writeFor(item)
    if (write === undefined) return
    const outcome = await store.write(bucket, write)
    if (outcome.applied) return
    item = outcome.item
  }
  throw new ZaelError('conflict', 'other requests keep changing the bucket; try again')
}

const resetWrite = (item: BucketItem, limitName: string | undefined, now: bigint): ConditionalWrite => {
  const born = numberIn(item, 'born', 0n)
  const gone = limitNamesIn(item).filter((name) => limitName === undefined || name === limitName)
  const attributes = gone.flatMap((name) =>
    Object.keys(fieldsOf(item, name)).map((field) => `${name}_${field}`),
  )
  const counters = Object.keys(item).filter((name) => COUNTER.test(name))
  const actions: readonly Action[] = [
    set('born', now > born ? now : born + 1n),
    add('rev', 1n),
    ...attributes.map(remove),
    ...counters.map((name) => set(name, 0n)),
  ]
  return { conditions: [equal('born', born), equal('rev', numberIn(item, 'rev', 0n))], actions }
}

const topUpWrite = (
  item: BucketItem,
  { limitName, amount }: LimitSelection & { readonly amount?: number },
  now: bigint,
): ConditionalWrite | undefined => {
  const names = limitNamesIn(item).filter((name) => limitName === undefined || name === limitName)
  const parts = names.flatMap((name) => topUpOne(item, name, amount, now) ?? [])
  if (parts.length === 0) return undefined
  const base = sameGeneration(numberIn(item, 'born', 0n))
  return {
    conditions: [
      ...base.conditions,
      ...unchangedSince(item, parts),
      ...parts.flatMap(({ conditions }) => conditions),
    ],
    actions: [...base.actions, ...parts.flatMap(({ actions }) => actions)],
  }
}

const topUpOne = (
  item: BucketItem,
  name: string,
  amount: number | undefined,
  now: bigint,
): PrefixedWrite | undefined => {
  const text = textIn(item, name) ?? ''
  const algorithm = algorithmOfText(text)
  const fields = fieldsOf(item, name)
  if (!algorithm) return undefined
  const all = Math.ceil(Number(algorithm.usedMillionths(fields, now)) / 1e6)
  const write = algorithm.topUp(fields, amount ?? all, now)
  if (!write) return undefined
  const { conditions, ...rest } = prefixed(name, write)
  return { conditions: [equal(textPath(name), text), ...conditions], ...rest }
}

const limitNamesIn = (item: BucketItem): readonly string[] =>
  Object.keys(item).flatMap((name) =>
    name.endsWith('_limit') && textIn(item, name.slice(0, -6)) ? [name.slice(0, -6)] : [],
  )
