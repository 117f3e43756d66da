import { StoreUnavailable } from '../../src/core/model/errors.ts'
import type { AdminStore } from '../../src/core/ports/admin-store.ts'
import { createMemoryAdminStore } from '../support/memory-admin-store.ts'

/** The store in memory, which a test can take away. */
export interface TestAdminStore extends AdminStore {
  /** From now on every call throws, until it is false again. */
  away: boolean
  /** Calls so far by method, to see what was cached. */
  readonly calls: ReadonlyMap<string, number>
}

export const createTestAdminStore = (): TestAdminStore => {
  const calls = new Map<string, number>()
  const state = { away: false, calls }
  const store = createMemoryAdminStore()
  const watched = Object.fromEntries(
    Object.entries(store).map(([name, method]) => [
      name,
      async (...parameters: readonly unknown[]) => {
        calls.set(name, (calls.get(name) ?? 0) + 1)
        if (state.away) throw new StoreUnavailable('away', { mayHaveApplied: false })
        return Reflect.apply(method, undefined, parameters)
      },
    ]),
  )
  return Object.assign(state, store, watched)
}
