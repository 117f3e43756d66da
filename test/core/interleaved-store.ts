import type { BucketStore } from '../../src/core/bucket/bucket-store.ts'
import { StoreUnavailable } from '../../src/core/model/errors.ts'

/** The fate of one call: how many turns of the event loop it takes to arrive and to return, and whether it does. */
export interface Fate {
  readonly there: number
  readonly back: number
  /** applied and lost: the response does not arrive. lost: nor does the call. refused: certainly not applied. */
  readonly end: 'delivered' | 'applied and lost' | 'lost' | 'refused'
}

/** A remote store: calls overtake each other, and have the fates that `next` returns. */
export const createInterleavedStore = (buckets: BucketStore, next: () => Fate): BucketStore => {
  const far = async <T>(call: () => Promise<T>): Promise<T> => {
    const { there, back, end } = next()
    await turns(there)
    if (end === 'refused') throw new StoreUnavailable('refused', { mayHaveApplied: false })
    const response = end === 'lost' ? undefined : await call()
    await turns(back)
    if (end !== 'delivered' || response === undefined)
      throw new StoreUnavailable('lost', { mayHaveApplied: true })
    return response
  }
  return {
    write: (id, write) => far(() => buckets.write(id, write)),
    read: async (id) => (await far(async () => ({ item: await buckets.read(id) }))).item,
    list: (entityId) => buckets.list(entityId),
    remove: (id) => buckets.remove(id),
  }
}

const turns = async (count: number): Promise<void> => {
  for (let left = count; left > 0; left--) await Promise.resolve()
}
