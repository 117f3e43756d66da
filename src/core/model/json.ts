import type { Entity } from './entity.ts'
import type { ApiKey } from './key.ts'
import type { Model } from './model.ts'

const NS_PER_SECOND = 1_000_000_000n

/** Whole seconds since the epoch, as JSON carries times. */
export const epochSeconds = (ns: bigint): number => Number(ns / NS_PER_SECOND)

/** An entity as JSON: the form of answers and of audit records. */
export const entityToJson = (entity: Entity) => ({
  entity_id: entity.id,
  name: entity.name,
  parent_id: entity.parentId,
  kind: entity.kind,
  cascade: entity.cascade,
  role: entity.role,
  priority: entity.priority,
  models: entity.models,
  disabled: entity.disabled,
  bypass: entity.bypass,
  created_at: epochSeconds(entity.createdAt),
  metadata: entity.metadata,
})

/** A key as JSON, masked: its first 8 characters are all that anyone sees again. */
export const apiKeyToJson = (key: ApiKey) => ({
  key_id: key.keyId,
  name: key.name,
  masked_secret: `${key.prefix}...`,
  status: key.status,
  expires_at: key.expiresAt === null ? null : epochSeconds(key.expiresAt),
  created_at: epochSeconds(key.createdAt),
})

/** A registered model as JSON. */
export const modelToJson = (model: Model) => ({
  model_id: model.id,
  tier: model.tier,
  prices: model.prices && {
    input_per_million: model.prices.inputPerMillion,
    output_per_million: model.prices.outputPerMillion,
    ...(model.prices.cachedInputPerMillion !== undefined && {
      cached_input_per_million: model.prices.cachedInputPerMillion,
    }),
  },
  created_at: epochSeconds(model.createdAt),
})

/** JSON, as answers hold it. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue }
