import type { BucketStore } from '../bucket/bucket-store.ts'
import { StoreUnavailable } from '../model/errors.ts'
import { SECOND_NS } from '../model/time.ts'
import type { ConfigStore } from '../ports/config-store.ts'
import type { Clock } from '../ports/platform.ts'

/** Failures in a row after which the store is left alone. */
const FAILURES = 5

/** How long it is left alone before one call tries it again. */
const OPEN_NS = SECOND_NS

/** Makes a call, or throws `StoreUnavailable` at once (surely not applied). */
export type Circuit = <T>(call: () => Promise<T>) => Promise<T>

/**
 * Keeps calls from a store that is away: after five failures in a row every call fails at once, save one a second that
 * tries whether it is back. One that throttles is not away: a busy item leaves all others theirs.
 */
export const createCircuit = (clock: Clock): Circuit => {
  let failures = 0
  let openUntilNs = 0n
  let lastFailure: unknown

  const isOpen = (): boolean => failures >= FAILURES
  const leaveAlone = (): void => {
    openUntilNs = clock.monotonic() + OPEN_NS
  }

  /** The first call after the second has passed tries the store; those that come meanwhile wait for the next. */
  const admit = (): void => {
    if (!isOpen()) return
    if (clock.monotonic() < openUntilNs) {
      throw new StoreUnavailable('the store has not answered lately', {
        mayHaveApplied: false,
        cause: lastFailure,
      })
    }
    leaveAlone()
  }

  return async (call) => {
    admit()
    try {
      const answer = await call()
      failures = 0
      return answer
    } catch (error) {
      failures = failuresAfter(error, failures)
      lastFailure = error
      if (isOpen()) leaveAlone()
      throw error
    }
  }
}

/** Answers about the call itself tell nothing new; whoever throttles is there. */
const failuresAfter = (error: unknown, failures: number): number => {
  if (!(error instanceof StoreUnavailable)) return failures
  return error.isThrottled ? 0 : failures + 1
}

export const bucketsBehind = (circuit: Circuit, store: BucketStore): BucketStore => ({
  write: (id, write) => circuit(() => store.write(id, write)),
  read: (id) => circuit(() => store.read(id)),
  list: (entityId) => circuit(() => store.list(entityId)),
  remove: (id) => circuit(() => store.remove(id)),
})

/** What is known serves while the store is away; without this, every decision would first wait for it in vain. */
export const configBehind = (circuit: Circuit, store: ConfigStore): ConfigStore => ({
  entity: (id) => circuit(() => store.entity(id)),
  entities: (ids) => circuit(() => store.entities(ids)),
  model: (id) => circuit(() => store.model(id)),
  limitSets: (keys) => circuit(() => store.limitSets(keys)),
  apiKey: (secretHash) => circuit(() => store.apiKey(secretHash)),
})
