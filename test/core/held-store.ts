import type { BucketStore } from '../../src/core/bucket/bucket-store.ts'
import { StoreUnavailable } from '../../src/core/model/errors.ts'

/** The fate of a released call. applied and lost: the response does not arrive. refused: certainly not applied. */
export type End = 'delivered' | 'applied and lost' | 'lost' | 'refused'

/** A store whose calls wait, before they are applied and before they return, until a test releases them, in any order. */
export interface HeldStore extends BucketStore {
  /** Releases one waiting call, and waits for everything that follows. False: none waits. */
  letGo(pick: number, end?: End): Promise<boolean>
  /** Releases all calls, oldest first, including those that follow. Throws if that never ends. */
  letAllGo(): Promise<void>
}

/** More calls than any test plan makes. */
const ENDLESS = 20_000

export const createHeldStore = (buckets: BucketStore): HeldStore => {
  const waiting: ((end: End) => void)[] = []
  const wait = (): Promise<End> => new Promise((resolve) => waiting.push(resolve))

  const held = async <T>(call: () => Promise<T>): Promise<T> => {
    const end = await wait()
    if (end === 'refused') throw new StoreUnavailable('refused', { mayHaveApplied: false })
    if (end === 'lost') throw new StoreUnavailable('lost', { mayHaveApplied: true })
    const response = await call()
    if (end === 'delivered' && (await wait()) === 'delivered') return response
    throw new StoreUnavailable('lost', { mayHaveApplied: true })
  }
  const letGo = async (pick: number, end: End = 'delivered'): Promise<boolean> => {
    const [go] = waiting.splice(pick % Math.max(1, waiting.length), 1)
    go?.(end)
    await quiet()
    return go !== undefined
  }
  return {
    write: (id, write) => held(() => buckets.write(id, write)),
    read: (id) => held(() => buckets.read(id)),
    list: (entityId) => buckets.list(entityId),
    remove: (id) => buckets.remove(id),
    letGo,
    async letAllGo() {
      await quiet()
      for (let left = ENDLESS; await letGo(0); left--)
        if (left === 0) throw new Error('calls follow for ever')
    },
  }
}

/** Waits until nothing follows: the event loop turns only when no promise is pending as a microtask. */
export const quiet = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
