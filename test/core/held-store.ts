import type { BucketStore } from '../../src/core/bucket/bucket-store.ts'
import { StoreUnavailable } from '../../src/core/model/errors.ts'

/** What becomes of a call that is let go. applied and lost: the answer does not come. refused: surely not applied. */
export type End = 'answered' | 'applied and lost' | 'lost' | 'refused'

/** A store whose calls wait, on their way there and on their way back, until a test lets them go, in any order. */
export interface HeldStore extends BucketStore {
  /** Lets one of the calls that wait go on, and waits for what follows from it. False: none waits. */
  letGo(pick: number, end?: End): Promise<boolean>
  /** Lets all go, oldest first, also those that follow. Throws where that never ends. */
  letAllGo(): Promise<void>
}

/** More calls than any plan of a test leads to. */
const ENDLESS = 20_000

export const createHeldStore = (buckets: BucketStore): HeldStore => {
  const waiting: ((end: End) => void)[] = []
  const wait = (): Promise<End> => new Promise((resolve) => waiting.push(resolve))

  const held = async <T>(call: () => Promise<T>): Promise<T> => {
    const end = await wait()
    if (end === 'refused') throw new StoreUnavailable('refused', { mayHaveApplied: false })
    if (end === 'lost') throw new StoreUnavailable('lost', { mayHaveApplied: true })
    const answer = await call()
    if (end === 'answered' && (await wait()) === 'answered') return answer
    throw new StoreUnavailable('lost', { mayHaveApplied: true })
  }
  const letGo = async (pick: number, end: End = 'answered'): Promise<boolean> => {
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

/** Waits until nothing follows any more: the event loop turns only when no promise is left to follow up. */
export const quiet = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
