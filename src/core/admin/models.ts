import { ID_RULE, isId, isModelId, MODEL_ID_RULE } from '../model/entity.ts'
import { invalid, ZaelError } from '../model/errors.ts'
import { modelToJson } from '../model/json.ts'
import { LEAST_PRICE, MOST_PRICE, type Model, PRICE_RULE, type Prices } from '../model/model.ts'
import { type AdminDependencies, auditRecord } from './audit.ts'

export interface ModelDraft {
  readonly tier?: string | null
  readonly prices?: Prices | null
}

/** Registered models. All methods throw `StoreUnavailable`. */
export interface ModelService {
  list(): Promise<readonly Model[]>
  /** Registers the model, or replaces its tier and prices. Throws `invalid_request`. */
  put(
    id: string,
    draft: ModelDraft,
    actor: string,
  ): Promise<{ readonly model: Model; readonly created: boolean }>
  /** Throws `not_found`. */
  remove(id: string, actor: string): Promise<void>
}

export const createModelService = (deps: AdminDependencies): ModelService => ({
  list: () => deps.store.listModels(),
  put: (id, draft, actor) => putModel(deps, id, draft, actor),
  remove: (id, actor) => removeModel(deps, id, actor),
})

const putModel = async (deps: AdminDependencies, id: string, draft: ModelDraft, actor: string) => {
  checkModel(id, draft)
  const before = await deps.store.model(id)
  const model: Model = {
    id,
    tier: draft.tier ?? null,
    prices: draft.prices ?? null,
    createdAt: before?.createdAt ?? deps.clock.now(),
  }
  const audit = auditRecord(deps, {
    actor,
    action: 'model.put',
    subject: `MODEL#${id}`,
    before: before === undefined ? null : modelToJson(before),
    after: modelToJson(model),
  })
  await deps.store.putModel(model, audit)
  deps.changed({ modelId: id })
  return { model, created: before === undefined }
}

const removeModel = async (deps: AdminDependencies, id: string, actor: string): Promise<void> => {
  const before = await deps.store.model(id)
  const missing = new ZaelError('not_found', `There is no model ${id}`)
  if (before === undefined) throw missing
  const audit = auditRecord(deps, {
    actor,
    action: 'model.delete',
    subject: `MODEL#${id}`,
    before: modelToJson(before),
    after: null,
  })
  if ((await deps.store.deleteModel(id, audit)) === 'missing') throw missing
  deps.changed({ modelId: id })
}

const checkModel = (id: string, { tier, prices }: ModelDraft): void => {
  if (!isModelId(id)) throw invalid('model_id', MODEL_ID_RULE)
  if (typeof tier === 'string' && !isId(tier)) throw invalid('tier', ID_RULE)
  if (prices) checkPrices(prices)
}

const isPrice = (price: number): boolean => price === 0 || (price >= LEAST_PRICE && price <= MOST_PRICE)

const checkPrices = (prices: Prices): void => {
  const fields = {
    input_per_million: prices.inputPerMillion,
    output_per_million: prices.outputPerMillion,
    cached_input_per_million: prices.cachedInputPerMillion ?? 0,
  }
  for (const [field, price] of Object.entries(fields)) {
    if (!isPrice(price)) throw invalid(`prices.${field}`, PRICE_RULE)
  }
}
