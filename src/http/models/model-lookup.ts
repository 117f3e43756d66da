import { type Entity, isModelId } from '../../core/model/entity.ts'
import type { Model } from '../../core/model/model.ts'
import { MS_NS } from '../../core/model/time.ts'
import type { AdminStore } from '../../core/ports/admin-store.ts'
import { createCachedReads } from '../../core/ports/cached-reads.ts'
import { type Eventual, whenReady } from '../../core/ports/when-ready.ts'
import type { AppDependencies, HttpSettings } from '../app-dependencies.ts'
import { ModelRejected } from '../errors/problem.ts'

/** Registered models by id, cached as long as the settings allow. */
export interface ModelLookup {
  get(id: string): Eventual<Model | undefined>
  /** Call it after each change by this process. */
  forget(id: string): void
}

const MAX_CACHED = 10_000

export interface ModelLookupNeeds extends Pick<AppDependencies, 'clock' | 'caches'> {
  readonly store: Pick<AdminStore, 'model'>
  readonly settings: Pick<HttpSettings, 'configCacheMs'>
}

export const createModelLookup = ({ store, clock, caches, settings }: ModelLookupNeeds): ModelLookup => {
  const maxAgeNs = BigInt(settings.configCacheMs) * MS_NS
  const models = createCachedReads<string, Model | undefined>({
    clock,
    caches,
    max: MAX_CACHED,
    keyOf: (id) => id,
    groupOf: (model) => model.id,
    read: (id) => store.model(id),
  })
  return { get: (id) => models.get(id, maxAgeNs), forget: models.forget }
}

/** Whether an entity may use a model. */
export const mayUse = ({ models }: Pick<Entity, 'models'>, modelId: string): boolean =>
  models === null || models.includes(modelId)

/** Throws `ModelRejected` if the resource is a registered model that the entity may not use. */
export const requireMayUse = async (
  models: ModelLookup,
  entity: Pick<Entity, 'models'>,
  resource: string | undefined,
): Promise<void> => {
  if (resource === undefined || mayUse(entity, resource)) return
  if ((await models.get(resource)) !== undefined) throw new ModelRejected('model_not_allowed', resource)
}

/** The registered model of this id, if `entity` (null: anyone) may use it. Throws, or rejects with, `ModelRejected`. */
export const usableModel = (models: ModelLookup, id: string, entity: Entity | null): Eventual<Model> =>
  whenReady(isModelId(id) ? models.get(id) : undefined, (model) => {
    if (model === undefined) throw new ModelRejected('model_not_found', id)
    if (entity !== null && !mayUse(entity, id)) throw new ModelRejected('model_not_allowed', id)
    return model
  })

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

export const createModelCatalog = ({ store, clock, caches, settings }: ModelCatalogNeeds): ModelCatalog => {
  const maxAgeNs = BigInt(settings.configCacheMs) * MS_NS
  const lists = createCachedReads<'all', readonly Model[]>({
    clock,
    caches,
    max: 1,
    keyOf: (all) => all,
    read: () => store.listModels(),
  })
  return {
    models: async () => lists.get('all', maxAgeNs),
    latest: async () => lists.get('all', 0n),
    forget: lists.forget,
  }
}
