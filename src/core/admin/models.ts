import { ID_RULE, isId, isModelId, MODEL_ID_RULE } from '../model/entity.ts'
import { invalid, ZaelError } from '../model/errors.ts'
import { modelToJson } from '../model/json.ts'
import {
  DEFAULT_MAX_OUTPUT_TOKENS,
  MAX_OUTPUT_RULE,
  MOST_OUTPUT_TOKENS,
  type Model,
  type ModelDraft,
  modelOf,
} from '../model/model.ts'
import {
  LEAST_PRICE,
  LEAST_WEIGHT,
  MOST_CONTEXT_TOKENS,
  MOST_PRICE,
  MOST_WEIGHT,
  PRICE_RULE,
  type Prices,
  type TokenPrices,
  type TokenWeights,
  WEIGHT_RULE,
} from '../model/prices.ts'
import {
  isUpstreamName,
  MAX_MODEL_UPSTREAMS,
  type ModelUpstream,
  UPSTREAM_MODEL_PATTERN,
  UPSTREAM_MODEL_RULE,
  UPSTREAM_NAME_RULE,
} from '../model/upstream.ts'
import { type AdminDependencies, auditRecord, nextVersion, untilUnchanged } from './audit.ts'
import { checkItemPrecondition, type Precondition } from './precondition.ts'

/** Registered models. All methods throw `StoreUnavailable`. */
export interface ModelService {
  list(): Promise<readonly Model[]>
  /** Throws `not_found`. */
  get(id: string): Promise<Model>
  /** Registers the model, or replaces it. Throws `invalid_request`, and `precondition_failed` as `LimitSetService.replace`. */
  put(
    id: string,
    draft: ModelDraft,
    actor: string,
    precondition?: Precondition,
  ): Promise<{ readonly model: Model; readonly created: boolean }>
  /** Throws `not_found`, and `precondition_failed`. */
  remove(id: string, actor: string, precondition?: Precondition): Promise<void>
}

export interface ModelDependencies extends AdminDependencies {
  /** Whether the environment of this process defines an upstream of this name. Default: none. */
  readonly hasEnvironmentUpstream?: (name: string) => boolean
}

export const createModelService = (deps: ModelDependencies): ModelService => ({
  list: () => deps.store.listModels(),
  get: (id) => registered(deps, id),
  put: (id, draft, actor, precondition = {}) => putModel(deps, id, draft, actor, precondition),
  remove: (id, actor, precondition = {}) => removeModel(deps, id, actor, precondition),
})

const putModel = async (
  deps: ModelDependencies,
  id: string,
  draft: ModelDraft,
  actor: string,
  precondition: Precondition,
) => {
  checkModel(id, draft)
  await checkUpstreamsExist(deps, draft.upstreams ?? [])
  return untilUnchanged(async () => {
    const before = await deps.store.model(id)
    checkItemPrecondition(before, precondition)
    const now = deps.clock.now()
    const version = nextVersion(now, before?.version ?? null)
    const model = modelOf(id, draft, before?.createdAt ?? now, version)
    const audit = auditRecord(deps, {
      actor,
      action: 'model.put',
      subject: `MODEL#${id}`,
      before: before === undefined ? null : modelToJson(before),
      after: modelToJson(model),
    })
    if ((await deps.store.putModel(model, audit, before?.version ?? null)) === 'changed') return 'changed'
    deps.changed({ modelId: id })
    return { model, created: before === undefined }
  })
}

const removeModel = async (
  deps: AdminDependencies,
  id: string,
  actor: string,
  precondition: Precondition,
): Promise<void> => {
  await untilUnchanged(async () => {
    const before = await registered(deps, id)
    checkItemPrecondition(before, precondition)
    const audit = auditRecord(deps, {
      actor,
      action: 'model.delete',
      subject: `MODEL#${id}`,
      before: modelToJson(before),
      after: null,
    })
    const outcome = await deps.store.deleteModel(id, audit, before.version)
    return outcome === 'missing' ? 'changed' : outcome
  })
  deps.changed({ modelId: id })
}

const registered = async ({ store }: AdminDependencies, id: string): Promise<Model> => {
  const model = await store.model(id)
  if (model === undefined) throw missing(id)
  return model
}

const missing = (id: string) => new ZaelError('not_found', `There is no model ${id}`)

const checkModel = (id: string, draft: ModelDraft): void => {
  const { tier, prices, tokenWeights, upstreams = [], maxOutputTokens = DEFAULT_MAX_OUTPUT_TOKENS } = draft
  if (!isModelId(id)) throw invalid('model_id', MODEL_ID_RULE)
  if (typeof tier === 'string' && !isId(tier)) throw invalid('tier', ID_RULE)
  if (prices) checkPrices(prices)
  if (tokenWeights) checkWeights(tokenWeights)
  checkUpstreams(upstreams)
  if (!isWholeWithin(maxOutputTokens, MOST_OUTPUT_TOKENS)) throw invalid('max_output_tokens', MAX_OUTPUT_RULE)
}

const isWholeWithin = (value: number, most: number): boolean =>
  Number.isInteger(value) && value >= 1 && value <= most

const isPrice = (price: number): boolean => price === 0 || (price >= LEAST_PRICE && price <= MOST_PRICE)

const checkPrices = (prices: Prices): void => {
  checkTokenPrices(prices, 'prices')
  for (const [tier, ofTier] of Object.entries(prices.serviceTiers ?? {}))
    checkTokenPrices(ofTier, `prices.service_tiers.${tier}`)
  checkDollars({ per_image: prices.perImage, per_audio_second: prices.perAudioSecond }, 'prices')
}

const checkTokenPrices = (prices: TokenPrices, field: string): void => {
  const { longContext } = prices
  checkDollars(
    {
      input_per_million: prices.inputPerMillion,
      output_per_million: prices.outputPerMillion,
      cached_input_per_million: prices.cachedInputPerMillion,
      cache_write_per_million: prices.cacheWritePerMillion,
      cache_write_1h_per_million: prices.cacheWrite1hPerMillion,
      'long_context.input_per_million': longContext?.inputPerMillion,
      'long_context.output_per_million': longContext?.outputPerMillion,
    },
    field,
  )
  if (longContext !== undefined && !isWholeWithin(longContext.aboveTokens, MOST_CONTEXT_TOKENS)) {
    throw invalid(`${field}.long_context.above_tokens`, `be an integer from 1 to ${MOST_CONTEXT_TOKENS}`)
  }
}

const checkDollars = (amounts: Readonly<Record<string, number | undefined>>, field: string): void => {
  for (const [name, price = 0] of Object.entries(amounts)) {
    if (!isPrice(price)) throw invalid(`${field}.${name}`, PRICE_RULE)
  }
}

const checkWeights = ({ input, output, cachedInput, cacheWrite }: TokenWeights): void => {
  const fields = { input, output, cached_input: cachedInput, cache_write: cacheWrite }
  for (const [name, weight = 1] of Object.entries(fields)) {
    const isWeight = weight === 0 || (weight >= LEAST_WEIGHT && weight <= MOST_WEIGHT)
    if (!isWeight) throw invalid(`token_weights.${name}`, WEIGHT_RULE)
  }
}

const checkUpstreams = (upstreams: readonly ModelUpstream[]): void => {
  if (upstreams.length > MAX_MODEL_UPSTREAMS) {
    throw invalid('upstreams', `contain at most ${MAX_MODEL_UPSTREAMS} upstreams`)
  }
  for (const [index, { upstream, model }] of upstreams.entries()) {
    if (!isUpstreamName(upstream)) throw invalid(`upstreams[${index}].upstream`, UPSTREAM_NAME_RULE)
    if (model !== null && !UPSTREAM_MODEL_PATTERN.test(model)) {
      throw invalid(`upstreams[${index}].model`, UPSTREAM_MODEL_RULE)
    }
    const isRepeated = upstreams.findIndex((other) => isSame(other, upstreams[index])) < index
    if (isRepeated) throw invalid(`upstreams[${index}]`, 'differ from the others in upstream or model')
  }
}

const checkUpstreamsExist = async (
  { store, hasEnvironmentUpstream = () => false }: ModelDependencies,
  upstreams: readonly ModelUpstream[],
): Promise<void> => {
  for (const [index, { upstream }] of upstreams.entries()) {
    if (hasEnvironmentUpstream(upstream) || (await store.upstream(upstream)) !== undefined) continue
    throw invalid(`upstreams[${index}].upstream`, `be the name of an upstream: there is no ${upstream}`)
  }
}

const isSame = (a: ModelUpstream, b: ModelUpstream | undefined): boolean =>
  a.upstream === b?.upstream && a.model === b.model
