import { ZaelError } from '../../core/model/errors.ts'
import { SECOND_NS } from '../../core/model/time.ts'
import type { ConfigStore } from '../../core/ports/config-store.ts'
import type { Clock } from '../../core/ports/platform.ts'
import { createCachedConfig } from '../../core/resolve/config-cache.ts'
import { lruCaches } from '../../platform/runtime.ts'

const MAX_AGE_NS = 30n * SECOND_NS
/** As in resolving: a longer chain of parents is cut. */
const MAX_ANCESTORS = 32

/**
 * Throws `ZaelError('unauthorized')` for an entity that is disabled, or below one that is, as an administrator's change of
 * up to 30 s ago says; `StoreUnavailable` where nothing is known.
 */
export const createEnabledCheck = (
  config: ConfigStore,
  clock: Clock,
): ((entityId: string) => Promise<void>) => {
  const cached = createCachedConfig(config, clock, lruCaches)
  return async (entityId) => {
    const reads = cached.open(MAX_AGE_NS)
    let id: string | null = entityId
    for (let i = 0; id !== null && i <= MAX_ANCESTORS; i++) {
      const entity = await reads.entity(id)
      if (entity?.disabled) throw new ZaelError('unauthorized', `${id} is disabled`)
      id = entity?.parentId ?? null
    }
  }
}
