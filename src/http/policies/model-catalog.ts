import type { Model } from '../../core/model/model.ts'
import type { AdminStore } from '../../core/ports/admin-store.ts'
import type { AppDependencies, HttpSettings } from '../app-dependencies.ts'
import { createReadThroughCache } from '../auth/read-through-cache.ts'

/** All registered models, as old as the settings allow; to be told of each change that this process makes. */
export interface ModelCatalog {
  models(): Promise<readonly Model[]>
  /** As `models`, read from the store now. */
  latest(): Promise<readonly Model[]>
  forget(): void
}

export interface ModelCatalogNeeds extends Pick<AppDependencies, 'clock' | 'caches'> {
  readonly store: Pick<AdminStore, 'listModels'>
  readonly settings: Pick<HttpSettings, 'configCacheMs'>
}

const ALL = 'all'

export const createModelCatalog = ({ store, clock, caches, settings }: ModelCatalogNeeds): ModelCatalog => {
  const cache = createReadThroughCache<readonly Model[]>({
    clock,
    caches,
    maxAgeMs: settings.configCacheMs,
    max: 1,
    groupOf: () => ALL,
    read: () => store.listModels(),
  })
  const models = async () => (await cache.get(ALL)) ?? []
  return {
    models,
    latest: () => {
      cache.forget(ALL)
      return models()
    },
    forget: () => cache.forget(ALL),
  }
}
