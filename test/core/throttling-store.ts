import type { BucketStore } from '../../src/core/bucket/bucket-store.ts'
import { StoreUnavailable } from '../../src/core/model/errors.ts'

/** A table that refuses writes for being too busy as long as a test says so. */
export interface ThrottlingStore extends BucketStore {
  /** Writes that are refused from now on; then they are applied again. */
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
