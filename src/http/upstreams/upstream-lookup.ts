import { MS_NS } from '../../core/model/time.ts'
import { DEFAULT_UPSTREAM, isUpstreamName, type Upstream } from '../../core/model/upstream.ts'
import type { AdminStore } from '../../core/ports/admin-store.ts'
import { createCachedReads } from '../../core/ports/cached-reads.ts'
import type { UpstreamReader } from '../../core/ports/upstreams.ts'
import { whenReady } from '../../core/ports/when-ready.ts'
import type { AppDependencies, HttpSettings } from '../app-dependencies.ts'

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

export const createUpstreamLookup = (needs: UpstreamLookupNeeds): UpstreamLookup => {
  const { store, clock, caches, environmentUpstream } = needs
  const maxAgeNs = BigInt(needs.settings.configCacheMs) * MS_NS
  const byName = createCachedReads<string, Upstream | undefined>({
    clock,
    caches,
    max: MAX_CACHED,
    keyOf: (name) => name,
    groupOf: ({ name }) => name,
    read: (name) => store.upstream(name),
  })
  const any = createCachedReads<'any', { readonly isAny: boolean }>({
    clock,
    caches,
    max: 1,
    keyOf: (key) => key,
    read: async () => ({ isAny: (await store.listUpstreams()).length > 0 }),
  })
  return {
    upstream(name) {
      if (name === DEFAULT_UPSTREAM && environmentUpstream !== null) return environmentUpstream
      return isUpstreamName(name) ? byName.get(name, maxAgeNs) : undefined
    },
    hasUpstreams: () =>
      environmentUpstream !== null || whenReady(any.get('any', maxAgeNs), ({ isAny }) => isAny),
    forget(name) {
      byName.forget(name)
      any.forget()
    },
  }
}
