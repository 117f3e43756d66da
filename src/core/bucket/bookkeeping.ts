import { SECOND_NS } from '../algorithms/integers.ts'
import {
  type Action,
  add,
  type BucketItem,
  type ConditionalWrite,
  equal,
  missing,
  set,
  setIfMissing,
} from './conditional-write.ts'
import { numberIn } from './limit-in-force.ts'

const DAY_NS = 86_400n * SECOND_NS
/** A bucket outlives the moment at which all is full again by this much, so that no debt is ever forgiven. */
const KEPT_NS = 2n * DAY_NS
/** `ttl` is set this much later than needed, so that a busy bucket pays for its change once a day. */
const SLACK_NS = DAY_NS

/** A part of a write, and the latest moment at which a limit of the bucket may be full again after it. */
export interface Bookkeeping extends ConditionalWrite {
  readonly latestFullAt: bigint
}

/**
 * What every write that relies on a state seen before does beside its purpose: it is void in another life of the bucket
 * (`born`), raises `rev`, and moves `ttl` where `fullAt` (the latest moment at which a limit is full again) asks for it.
 * `ttl` only grows within a life: whoever moves it names the value that it replaces.
 */
export const bookkeeping = (seen: BucketItem | undefined, now: bigint, fullAt: bigint): Bookkeeping => {
  const ttl = set('ttl', ttlSeconds(fullAt))
  const latestFullAt = fullAt + SLACK_NS - SECOND_NS
  if (seen?.born === undefined) {
    return { conditions: [missing('born')], actions: [set('born', now), add('rev', 1n), ttl], latestFullAt }
  }
  const kept = keptUntil(seen)
  const { conditions, actions } = sameLife(numberIn(seen, 'born', 0n))
  if (fullAt <= kept) return { conditions, actions, latestFullAt: kept }
  const sameTtl = seen.ttl === undefined ? missing('ttl') : equal('ttl', numberIn(seen, 'ttl', 0n))
  return { conditions: [...conditions, sameTtl], actions: [...actions, ttl], latestFullAt }
}

/** A part of a write that only lowers what is used: void in another life of the bucket, and counted. */
export const sameLife = (born: bigint): ConditionalWrite => ({
  conditions: [equal('born', born)],
  actions: [add('rev', 1n)],
})

const keptUntil = (seen: BucketItem): bigint => numberIn(seen, 'ttl', 0n) * SECOND_NS - KEPT_NS

const ttlSeconds = (fullAt: bigint): bigint => (fullAt + KEPT_NS + SLACK_NS) / SECOND_NS

/** A write of nothing but counters, in whatever life the bucket is. */
export const countersWrite = (counters: readonly Action[], now: bigint): ConditionalWrite => ({
  conditions: [],
  actions: [setIfMissing('born', now), setIfMissing('ttl', ttlSeconds(now)), add('rev', 1n), ...counters],
})
