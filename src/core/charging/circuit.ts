import { SECOND_NS } from '../algorithms/integers.ts'
import type { BucketStore } from '../bucket/bucket-store.ts'
import { StoreUnavailable } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'

/** Failures in a row after which the store is left alone. */
const FAILURES = 5
/** How long it is left alone before one call tries it again. */
const OPEN_NS = SECOND_NS

/**
 * A bucket store that is not asked while it is away: after five failures in a row every call fails at once, save one a second
 * that tries whether it is back. What is refused here has surely not been applied.
 */
export const withCircuit = (store: BucketStore, clock: Clock): BucketStore => {
  let failures = 0
  let openUntilNs = 0n

  const isOpen = (): boolean => failures >= FAILURES
  const leaveAlone = (): void => {
    openUntilNs = clock.monotonic() + OPEN_NS
  }

  /** The first call after the second has passed tries the store; those that come meanwhile wait for the next. */
  const admit = (): void => {
    if (!isOpen()) return
    if (clock.monotonic() < openUntilNs) {
      throw new StoreUnavailable('the store has not answered lately', { mayHaveApplied: false })
    }
    leaveAlone()
  }

  const guarded = async <T>(call: () => Promise<T>): Promise<T> => {
    admit()
    try {
      const answer = await call()
      failures = 0
      return answer
    } catch (error) {
      if (error instanceof StoreUnavailable) failures++
      if (isOpen()) leaveAlone()
      throw error
    }
  }

  return {
    write: (id, write) => guarded(() => store.write(id, write)),
    read: (id) => guarded(() => store.read(id)),
    list: (entityId) => guarded(() => store.list(entityId)),
  }
}
