import { DEFAULT_RESOURCE, type Limit } from '../limit/limit.ts'
import type { CacheFactory } from '../ports/cache.ts'
import type { Clock } from '../ports/clock.ts'
import type { ConfigStore } from '../ports/config-store.ts'
import { createCachedConfig } from './cached-config.ts'
import { type Resolution, resolveBuckets } from './resolve-buckets.ts'

/** Which buckets and limits apply to a request, remembered. */
export interface Resolver {
  /**
   * What applies to an entity on a resource (undefined: `_default_` itself), from reads no older than `maxAgeNs`.
   * Throws `ZaelError('not_found')` for an unknown entity, `StoreUnavailable` where nothing is known and the store is away.
   */
  resolve(entityId: string, resource: string | undefined, maxAgeNs: bigint): Promise<Resolution>
  /** Drops all that is known: this process has just changed something. */
  forget(): void
}

export interface ResolverDependencies {
  readonly config: ConfigStore
  readonly clock: Clock
  readonly newCache: CacheFactory
  /** Limits of the environment, below everything that is in the table. */
  readonly defaults: readonly Limit[]
}

interface Resolved {
  readonly resolution: Resolution
  readonly readNs: bigint
}

/** Pairs of entity and resource kept in memory. */
const MAX_RESOLUTIONS = 20_000

export const createResolver = ({ config, clock, newCache, defaults }: ResolverDependencies): Resolver => {
  const items = createCachedConfig(config, clock, newCache)
  const underWay = new Map<string, Promise<Resolved>>()
  let resolved = newCache<Resolved>({ max: MAX_RESOLUTIONS })
  const isFresh = (known: Resolved, maxAgeNs: bigint): boolean => clock.monotonic() - known.readNs <= maxAgeNs

  const readAnew = async (key: string, entityId: string, resource: string | undefined, maxAgeNs: bigint) => {
    const target = resolved
    const reads = items.open(maxAgeNs)
    const resolution = await resolveBuckets(reads, { entityId, resource, defaults })
    const known = { resolution, readNs: reads.oldestNs() }
    target.set(key, known)
    return known
  }

  /** Requests that come while the same is being read wait for that read. */
  const shared = (key: string, read: () => Promise<Resolved>): Promise<Resolved> => {
    const running = underWay.get(key)
    if (running) return running
    const started = read().finally(() => {
      if (underWay.get(key) === started) underWay.delete(key)
    })
    underWay.set(key, started)
    return started
  }

  return {
    async resolve(entityId, resource, maxAgeNs) {
      const key = `${entityId}#${resource ?? DEFAULT_RESOURCE}`
      const known = resolved.get(key)
      if (known && isFresh(known, maxAgeNs)) return known.resolution
      return (await shared(`${key}#${maxAgeNs}`, () => readAnew(key, entityId, resource, maxAgeNs)))
        .resolution
    },
    forget() {
      items.forget()
      resolved = newCache<Resolved>({ max: MAX_RESOLUTIONS })
      underWay.clear()
    },
  }
}
