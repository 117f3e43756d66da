import { SECOND_NS } from '../algorithms/rounding.ts'
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

/**
 * What every write that relies on a state seen before does beside its purpose: it is void in another life of the bucket
 * (`born`), raises `rev`, and moves `ttl` where `fullAt` (the latest moment at which a limit is full again) asks for it.
 * `ttl` only grows within a life: whoever moves it names the value that it replaces.
 */
export const bookkeeping = (seen: BucketItem | undefined, now: bigint, fullAt: bigint): ConditionalWrite => {
  const ttl = set('ttl', (fullAt + KEPT_NS + SLACK_NS) / SECOND_NS)
  if (seen?.born === undefined) {
    return { conditions: [missing('born')], actions: [set('born', now), add('rev', 1n), ttl] }
  }
  const sameLife = equal('born', numberIn(seen, 'born', 0n))
  if (fullAt <= latestFullAt(seen)) return { conditions: [sameLife], actions: [add('rev', 1n)] }
  const sameTtl = seen.ttl === undefined ? missing('ttl') : equal('ttl', numberIn(seen, 'ttl', 0n))
  return { conditions: [sameLife, sameTtl], actions: [add('rev', 1n), ttl] }
}

/** The latest moment at which a limit of this bucket may be full again without moving `ttl`. */
export const latestFullAt = (seen: BucketItem): bigint => numberIn(seen, 'ttl', 0n) * SECOND_NS - KEPT_NS

/** A write of nothing but counters, in whatever life the bucket is. */
export const countersWrite = (counters: readonly Action[], now: bigint): ConditionalWrite => ({
  conditions: [],
  actions: [
    setIfMissing('born', now),
    setIfMissing('ttl', (now + KEPT_NS + SLACK_NS) / SECOND_NS),
    add('rev', 1n),
    ...counters,
  ],
})
