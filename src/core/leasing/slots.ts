import { type BucketId, bucketKey } from '../bucket/bucket-id.ts'
import type { LimitInForce } from '../bucket/limit-in-force.ts'
import { limitsText } from '../charging/limits-text.ts'
import { createSlot, type Slot } from './slot.ts'

/** The slots of this process: one for each bucket and list of limits that it is charged by. */
export interface Slots {
  /** Made where there is none. */
  of(bucket: BucketId, limits: readonly LimitInForce[], nowNs: bigint): Slot
  /** All of a bucket, by its key. */
  at(key: string): readonly Slot[]
  /** Hands out every slot once; those of which `isOver` says so go. */
  sweep(isOver: (slot: Slot) => boolean): void
}

export const createSlots = (): Slots => {
  /** By the bucket's key, then by the text of the limits. */
  const all = new Map<string, Map<string, Slot>>()
  return {
    of(bucket, limits, nowNs) {
      const [key, text] = [bucketKey(bucket), limitsText(limits)]
      const ofBucket = all.get(key) ?? new Map<string, Slot>()
      const slot = ofBucket.get(text) ?? createSlot(nowNs)
      all.set(key, ofBucket.set(text, slot))
      return slot
    },
    at: (key) => [...(all.get(key)?.values() ?? [])],
    sweep(isOver) {
      for (const [key, ofBucket] of all) {
        sweepBucket(ofBucket, isOver)
        if (ofBucket.size === 0) all.delete(key)
      }
    },
  }
}

const sweepBucket = (ofBucket: Map<string, Slot>, isOver: (slot: Slot) => boolean): void => {
  for (const [text, slot] of ofBucket) {
    if (!isOver(slot)) continue
    slot.isGone = true
    ofBucket.delete(text)
  }
}
