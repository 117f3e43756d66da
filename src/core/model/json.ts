import type { Alert, ReachedShare } from './alert.ts'
import type { Entity } from './entity.ts'
import type { ApiKey } from './key.ts'
import type { Limit, LimitSize, ScheduleEntry } from './limit.ts'
import { shownMeter } from './meter.ts'
import type { Model } from './model.ts'
import { policyPath } from './policy.ts'
import type { Prices, TokenPrices, TokenWeights } from './prices.ts'
import { SECOND_NS } from './time.ts'
import type { Upstream } from './upstream.ts'

/** Whole seconds since the epoch, the form of times in JSON. */
export const epochSeconds = (ns: bigint): number => Number(ns / SECOND_NS)

/** The same of a time that may be absent, which is null in JSON. */
export const epochSecondsOrNull = (ns: bigint | null | undefined): number | null =>
  ns == null ? null : epochSeconds(ns)

/** An entity as JSON: the form of responses and of audit records. */
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

/** A key as JSON, masked: only the first 8 characters of its secret are shown again. */
export const apiKeyToJson = (key: ApiKey) => ({
  key_id: key.keyId,
  name: key.name,
  masked_secret: `${key.prefix}...`,
  status: key.status,
  expires_at: epochSecondsOrNull(key.expiresAt),
  created_at: epochSeconds(key.createdAt),
})

/** A registered model as JSON. */
export const modelToJson = (model: Model) => ({
  model_id: model.id,
  tier: model.tier,
  prices: model.prices && pricesToJson(model.prices),
  token_weights: model.tokenWeights && tokenWeightsToJson(model.tokenWeights),
  upstreams: model.upstreams.map(({ upstream, model }) => ({ upstream, model })),
  max_output_tokens: model.maxOutputTokens,
  created_at: epochSeconds(model.createdAt),
})

/** Prices as JSON: the form of responses, audit records and stored items. */
export const pricesToJson = (prices: Prices) => {
  const { serviceTiers: { flex, priority } = {} } = prices
  return {
    ...tokenPricesToJson(prices),
    ...(prices.serviceTiers !== undefined && {
      service_tiers: {
        ...(flex !== undefined && { flex: tokenPricesToJson(flex) }),
        ...(priority !== undefined && { priority: tokenPricesToJson(priority) }),
      },
    }),
    ...(prices.perImage !== undefined && { per_image: prices.perImage }),
    ...(prices.perAudioSecond !== undefined && { per_audio_second: prices.perAudioSecond }),
  }
}

const tokenPricesToJson = (prices: TokenPrices) => ({
  input_per_million: prices.inputPerMillion,
  output_per_million: prices.outputPerMillion,
  ...(prices.cachedInputPerMillion !== undefined && {
    cached_input_per_million: prices.cachedInputPerMillion,
  }),
  ...(prices.cacheWritePerMillion !== undefined && {
    cache_write_per_million: prices.cacheWritePerMillion,
  }),
  ...(prices.cacheWrite1hPerMillion !== undefined && {
    cache_write_1h_per_million: prices.cacheWrite1hPerMillion,
  }),
  ...(prices.longContext !== undefined && {
    long_context: {
      above_tokens: prices.longContext.aboveTokens,
      input_per_million: prices.longContext.inputPerMillion,
      output_per_million: prices.longContext.outputPerMillion,
    },
  }),
})

/** Weights as JSON, in the same places. */
export const tokenWeightsToJson = ({ input, output, cachedInput, cacheWrite }: TokenWeights) => ({
  ...(input !== undefined && { input }),
  ...(output !== undefined && { output }),
  ...(cachedInput !== undefined && { cached_input: cachedInput }),
  ...(cacheWrite !== undefined && { cache_write: cacheWrite }),
})

/** An upstream as JSON. It contains the reference of its secret, never the secret. */
export const upstreamToJson = (upstream: Upstream) => ({
  name: upstream.name,
  kind: upstream.kind,
  base_url: upstream.baseUrl,
  region: upstream.region,
  signing_service: upstream.signingService,
  secret: upstream.secret,
  headers: upstream.headers,
  connect_timeout_seconds: upstream.timeouts.connectSeconds,
  first_byte_timeout_seconds: upstream.timeouts.firstByteSeconds,
  idle_timeout_seconds: upstream.timeouts.idleSeconds,
  total_timeout_seconds: upstream.timeouts.totalSeconds,
  adaptive: upstream.adaptive && { floor: upstream.adaptive.floor },
  created_at: epochSeconds(upstream.createdAt),
})

/** An alert as JSON. It contains the reference of its secret, never the secret. */
export const alertToJson = ({ target, ...alert }: Alert) => ({
  name: alert.name,
  entity_id: alert.entityId,
  policy: alert.policy && policyPath(alert.policy),
  limit_name: alert.limitName,
  shares: alert.shares,
  webhook: target.kind === 'webhook' ? { url: target.url, secret: target.secret } : null,
  sns_topic_arn: target.kind === 'sns' ? target.topicArn : null,
  created_at: epochSeconds(alert.createdAt),
  changed_at: epochSeconds(alert.changedAt),
})

/** A reached share as JSON: of events in the API, and in messages. */
export const reachedShareToJson = (reached: ReachedShare) => ({
  alert: reached.alert,
  entity_id: reached.entityId,
  policy: reached.policy && policyPath(reached.policy),
  resource: reached.resource,
  limit_name: reached.limitName,
  meter: reached.meter,
  share: reached.share,
  used: reached.used,
  capacity: reached.capacity,
  window_start: epochSeconds(reached.window.start),
  window_end: epochSeconds(reached.window.end),
})

/** A limit as JSON: the form of requests, responses, audit records and stored items. */
export const limitToJson = (limit: Limit) => ({
  name: limit.name,
  meter: shownMeter(limit.meter),
  ...sizeToJson(limit.size),
  ...(limit.schedule !== undefined && { schedule: limit.schedule.map(scheduleEntryToJson) }),
  ...(limit.mode !== undefined && { mode: limit.mode }),
  ...(limit.warnAt !== undefined && { warn_at: limit.warnAt }),
  ...(limit.refund !== undefined && { refund: limit.refund }),
  ...(limit.onUnavailable !== undefined && { on_unavailable: limit.onUnavailable }),
  ...(limit.headroom !== undefined && { headroom: limit.headroom }),
  ...(limit.leaseTtlSeconds !== undefined && { lease_ttl_seconds: limit.leaseTtlSeconds }),
})

/** The fields of a size in snake case, whatever its algorithm. The `limit` of a window is shown as its `capacity` as well. */
export const sizeToJson = (size: LimitSize) => ({
  algorithm: size.algorithm,
  capacity: 'limit' in size ? size.limit : size.capacity,
  ...Object.fromEntries(Object.entries(size).map(([name, value]) => [snakeCase(name), value])),
})

const scheduleEntryToJson = ({ cron, timeZone, durationSeconds, size }: ScheduleEntry) => ({
  cron,
  time_zone: timeZone,
  duration_seconds: durationSeconds,
  ...('limit' in size ? { limit: size.limit } : amountsToJson(size)),
})

/** The amounts of a size in any form: the `limit` of a window is its `capacity`. */
export const amountsToJson = (size: LimitSize) =>
  'limit' in size ? { capacity: size.limit } : { capacity: size.capacity, refill_rate: size.refillRate }

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject

export interface JsonObject {
  readonly [name: string]: JsonValue
}
