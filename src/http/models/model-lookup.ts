import { type Entity, isModelId } from '../../core/model/entity.ts'
import type { Model } from '../../core/model/model.ts'
import type { AdminStore } from '../../core/ports/admin-store.ts'
import type { AppDependencies, HttpSettings } from '../app-dependencies.ts'
import { createReadThroughCache, type ReadThroughCache } from '../cached-reads.ts'
import { ModelRejected } from '../errors/problem.ts'

/** Registered models by id, cached as long as the settings allow. Call `forget` after each change by this process. */
export type ModelLookup = ReadThroughCache<Model>

const MAX_CACHED = 10_000

export interface ModelLookupNeeds extends Pick<AppDependencies, 'clock' | 'caches'> {
  readonly store: Pick<AdminStore, 'model'>
  readonly settings: Pick<HttpSettings, 'configCacheMs'>
}

export const createModelLookup = ({ store, clock, caches, settings }: ModelLookupNeeds): ModelLookup =>
  createReadThroughCache<Model>({
    clock,
    caches,
    maxAgeMs: settings.configCacheMs,
    max: MAX_CACHED,
    groupOf: (model) => model.id,
    read: (id) => store.model(id),
  })

/** Whether an entity may use a model. */
export const mayUse = ({ models }: Pick<Entity, 'models'>, modelId: string): boolean =>
  models === null || models.includes(modelId)

/** The registered model of this id, if `entity` (null: anyone) may use it. Throws `ModelRejected`. */
export const usableModel = async (models: ModelLookup, id: string, entity: Entity | null): Promise<Model> => {
  const model = isModelId(id) ? await models.get(id) : undefined
  if (model === undefined) throw new ModelRejected('model_not_found', id)
  if (entity !== null && !mayUse(entity, id)) throw new ModelRejected('model_not_allowed', id)
  return model
}

/** All registered models, cached for the same time. */
export interface ModelCatalog {
  models(): Promise<readonly Model[]>
  /** As `models`, but read from the store. */
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
