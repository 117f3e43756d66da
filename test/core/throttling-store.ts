import type { BucketStore } from '../../src/core/bucket/bucket-store.ts'
import { StoreUnavailable } from '../../src/core/model/errors.ts'

/** A table that throttles a number of writes. */
export interface ThrottlingStore extends BucketStore {
  /** The number of writes to reject from now on; later ones are applied. */
  refuse(writes: number): void
  readonly refused: number
  readonly applied: number
}

export const createThrottlingStore = (buckets: BucketStore): ThrottlingStore => {
  let [left, refused, applied] = [0, 0, 0]
  return {
    ...buckets,
    async write(id, write) {
      if (left > 0) {
        left--
        refused++
        throw new StoreUnavailable('throttled', { mayHaveApplied: false, isThrottled: true })
      }
      applied++
      return buckets.write(id, write)
    },
    refuse(writes) {
      left = writes
    },
    get refused() {
      return refused
    },
    get applied() {
      return applied
    },
  }
}
