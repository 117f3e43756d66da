import { StoreUnavailable } from '../model/errors.ts'
import { SECOND_NS } from '../model/time.ts'
import type { ConfigStore } from '../ports/config-store.ts'
import type { Clock } from '../ports/platform.ts'

/** Consecutive failures after which the circuit opens. */
const FAILURES = 5

/** How long the circuit stays open before one call tries the store again. */
const OPEN_NS = SECOND_NS

/**
 * Keeps calls from an unavailable store: without it, every decision would first wait for the store's deadline in vain.
 * After five consecutive failures every call fails at once, save one per second that tries whether the store is back.
 * Throttling is no failure: one busy item leaves the capacity of all others.
 */
export interface Circuit {
  /** Call before each call of the store. Throws `StoreUnavailable` (not applied) while the circuit is open. */
  check(): void
  /** Counts the outcome of a call, and returns it. */
  observe<T>(call: Promise<T>): Promise<T>
}

export const createCircuit = (clock: Clock): Circuit => {
  let failures = 0
  let openUntilNs = 0n
  let lastFailure: unknown

  const isOpen = (): boolean => failures >= FAILURES
  const open = (): void => {
    openUntilNs = clock.monotonic() + OPEN_NS
  }

  return {
    check() {
      if (!isOpen()) return
      if (clock.monotonic() < openUntilNs) {
        throw new StoreUnavailable('the store has not answered lately', {
          mayHaveApplied: false,
          cause: lastFailure,
        })
      }
      // this call tries the store; those that come meanwhile fail until the next second
      open()
    },
    async observe(call) {
      try {
        const result = await call
        failures = 0
        return result
      } catch (error) {
        failures = failuresAfter(error, failures)
        lastFailure = error
        if (isOpen()) open()
        throw error
      }
    },
  }
}

/** Errors about the call itself say nothing of the store's health. */
const failuresAfter = (error: unknown, failures: number): number => {
  if (!(error instanceof StoreUnavailable)) return failures
  return error.isThrottled ? 0 : failures + 1
}

/** The configuration behind a circuit: cached items serve while the store is unavailable. */
export const configBehind = (circuit: Circuit, store: ConfigStore): ConfigStore => {
  const call = async <T>(send: () => Promise<T>): Promise<T> => {
    circuit.check()
    return circuit.observe(send())
  }
  return {
    entity: (id) => call(() => store.entity(id)),
    entities: (ids) => call(() => store.entities(ids)),
    model: (id) => call(() => store.model(id)),
    limitSets: (keys) => call(() => store.limitSets(keys)),
    apiKey: (secretHash) => call(() => store.apiKey(secretHash)),
  }
}
