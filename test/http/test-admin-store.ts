import { StoreUnavailable } from '../../src/core/model/errors.ts'
import type { AdminStore } from '../../src/core/ports/admin-store.ts'
import { createMemoryAdminStore } from '../support/memory-admin-store.ts'

/** The store in memory, which a test can make unavailable. */
export interface TestAdminStore extends AdminStore {
  /** While true, every call throws. */
  isUnavailable: boolean
  /** Calls by method, to observe caching. */
  readonly calls: ReadonlyMap<string, number>
}

export const createTestAdminStore = (): TestAdminStore => {
  const calls = new Map<string, number>()
  const state = { isUnavailable: false, calls }
  const store = createMemoryAdminStore()
  const watched = Object.fromEntries(
    Object.entries(store).map(([name, method]) => [
      name,
      async (...parameters: readonly unknown[]) => {
        calls.set(name, (calls.get(name) ?? 0) + 1)
        if (state.isUnavailable) throw new StoreUnavailable('away', { mayHaveApplied: false })
        return Reflect.apply(method, undefined, parameters)
      },
    ]),
  )
  return Object.assign(state, store, watched)
}
