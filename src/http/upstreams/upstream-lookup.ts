import { DEFAULT_UPSTREAM, isUpstreamName, type Upstream } from '../../core/model/upstream.ts'
import type { AdminStore } from '../../core/ports/admin-store.ts'
import type { UpstreamReader } from '../../core/ports/upstreams.ts'
import type { AppDependencies, HttpSettings } from '../app-dependencies.ts'
import { createReadThroughCache } from '../cached-reads.ts'

/** Configured upstreams, cached as long as the settings allow. Call `forget` after each change by this process. */
export interface UpstreamLookup extends UpstreamReader {
  forget(name: string): void
}

const MAX_CACHED = 1_000

export interface UpstreamLookupNeeds extends Pick<AppDependencies, 'clock' | 'caches'> {
  readonly store: Pick<AdminStore, 'upstream' | 'listUpstreams'>
  readonly settings: Pick<HttpSettings, 'configCacheMs'>
  /** The upstream of UPSTREAM_BASE_URL, which hides a stored one of its name. Null: none. */
  readonly environmentUpstream: Upstream | null
}

const ALL = 'all'

export const createUpstreamLookup = (needs: UpstreamLookupNeeds): UpstreamLookup => {
  const { store, clock, caches, environmentUpstream } = needs
  const maxAgeMs = needs.settings.configCacheMs
  const byName = createReadThroughCache<Upstream>({
    clock,
    caches,
    maxAgeMs,
    max: MAX_CACHED,
    groupOf: ({ name }) => name,
    read: (name) => store.upstream(name),
  })
  const any = createReadThroughCache<{ readonly isAny: boolean }>({
    clock,
    caches,
    maxAgeMs,
    max: 1,
    groupOf: () => ALL,
    read: async () => ({ isAny: (await store.listUpstreams()).length > 0 }),
  })
  return {
    async upstream(name) {
      if (name === DEFAULT_UPSTREAM && environmentUpstream !== null) return environmentUpstream
      return isUpstreamName(name) ? byName.get(name) : undefined
    },
    hasUpstreams: async () => environmentUpstream !== null || ((await any.get(ALL))?.isAny ?? false),
    forget(name) {
      byName.forget(name)
      any.forget(ALL)
    },
  }
}
