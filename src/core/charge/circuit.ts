import { StoreUnavailable } from '../model/errors.ts'
import { SECOND_NS } from '../model/time.ts'
import type { ConfigStore } from '../ports/config-store.ts'
import type { Clock } from '../ports/platform.ts'

/** Consecutive failures after which the circuit opens. */
const FAILURES = 5

/** The time after which one call tries the store again. */
const OPEN_NS = SECOND_NS

/**
 * Fails calls of an unavailable store at once, which would otherwise each wait for the store's deadline. Opens after five
 * consecutive failures; then one call per second tries the store. Throttling does not count as a failure: it concerns one busy
 * item.
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
        throw new StoreUnavailable('the store has not responded recently', {
          mayHaveApplied: false,
          cause: lastFailure,
        })
      }
      // this call tries the store; all others fail for another second
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

/** Errors other than `StoreUnavailable` concern the call, not the store's health. */
const failuresAfter = (error: unknown, failures: number): number => {
  if (!(error instanceof StoreUnavailable)) return failures
  return error.isThrottled ? 0 : failures + 1
}

/** The configuration store behind a circuit: its cached items are used while the store is unavailable. */
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
