import { type AlertDraft, DEFAULT_SHARES } from '../core/model/alert.ts'
import { ENTITY_DEFAULTS, type Entity } from '../core/model/entity.ts'
import {
  type JsonObject,
  type JsonValue,
  pricesToJson,
  sizeToJson,
  tokenWeightsToJson,
} from '../core/model/json.ts'
import {
  DEFAULT_SLOT_SECONDS,
  DEFAULT_SLOTS,
  DEFAULT_WARN_AT,
  type Limit,
  type LimitSize,
  PERIOD_SECONDS,
  PERIODS,
  type Period,
  type ScheduleEntry,
  type TokenBucketSize,
} from '../core/model/limit.ts'
import { IN_FLIGHT, meterOfName, shownMeter } from '../core/model/meter.ts'
import { DEFAULT_MAX_OUTPUT_TOKENS, type ModelDraft } from '../core/model/model.ts'
import { policyPath } from '../core/model/policy.ts'
import type { TokenWeights } from '../core/model/prices.ts'
import { nsPerToken } from '../core/model/time.ts'
import { DEFAULT_FLOOR, DEFAULT_TIMEOUTS, type UpstreamDraft } from '../core/model/upstream.ts'

/*
 * The shortest notation of everything that is configured: the JSON that a request or a file may state, without the fields that
 * have their defaults. Two configurations are equal if their notations are.
 */

/** The fields that are not undefined. */
const stated = (fields: Readonly<Record<string, JsonValue | undefined>>): JsonObject => {
  const known: Record<string, JsonValue> = {}
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) known[name] = value
  return known
}

const unless = <T extends JsonValue>(fallback: JsonValue, value: T): T | undefined =>
  value === fallback ? undefined : value

/** Undefined for an empty object. */
const filled = (object: JsonObject): JsonObject | undefined =>
  Object.keys(object).length === 0 ? undefined : object

/** A limit: `{limit, per}` where a token bucket refills within a period. */
export const limitNotation = (limit: Limit): JsonObject => {
  const { name, size, schedule = [] } = limit
  const meter = shownMeter(limit.meter)
  const isConcurrency = limit.meter === IN_FLIGHT
  const isImplied = isConcurrency || meter === (meterOfName(name) ?? 'requests')
  return stated({
    name,
    meter: isImplied ? undefined : meter,
    ...(size.algorithm === 'token_bucket'
      ? bucketNotation(size, schedule)
      : { ...windowNotation(size), ...limitEntries(schedule) }),
    mode: limit.mode && unless('enforce', limit.mode),
    // a concurrency limit warns of nothing unless it states a share
    warn_at: isConcurrency ? limit.warnAt : limit.warnAt && unless(DEFAULT_WARN_AT, limit.warnAt),
    refund: limit.refund && unless('strict', limit.refund),
    on_unavailable: limit.onUnavailable,
    headroom: headroomNotation(limit),
    lease_ttl_seconds: limit.leaseTtlSeconds,
  })
}

/** The fields of a size that may be left out, and their defaults. */
const SIZE_DEFAULTS: Readonly<Record<string, JsonValue>> = {
  slots: DEFAULT_SLOTS,
  time_zone: 'UTC',
  lease_seconds: DEFAULT_SLOT_SECONDS,
}

/** The size of any algorithm but the token bucket. Its `capacity` repeats its `limit`. */
const windowNotation = (size: LimitSize): JsonObject =>
  Object.fromEntries(
    Object.entries<JsonValue>(sizeToJson(size)).filter(
      ([field, value]) => field !== 'capacity' && SIZE_DEFAULTS[field] !== value,
    ),
  )

/** A share of 0 keeps nothing. */
const headroomNotation = ({ headroom = {} }: Limit): JsonObject | undefined => {
  const { normal = 0, low = 0 } = headroom
  return filled(stated({ normal: unless(0, normal), low: unless(0, low) }))
}

const scheduleNotation = (
  schedule: readonly ScheduleEntry[],
  amountsOf: (size: LimitSize) => JsonObject,
): { readonly schedule?: JsonValue } =>
  schedule.length === 0
    ? {}
    : {
        schedule: schedule.map(({ cron, timeZone, durationSeconds, size }) => ({
          cron,
          time_zone: timeZone,
          duration_seconds: durationSeconds,
          ...amountsOf(size),
        })),
      }

const limitEntries = (schedule: readonly ScheduleEntry[]) =>
  scheduleNotation(schedule, (size) => ({ limit: amountOf(size) }))

const amountOf = (size: LimitSize): number => ('limit' in size ? size.limit : size.capacity)

const bucketNotation = (size: TokenBucketSize, schedule: readonly ScheduleEntry[]): JsonObject => {
  const sizes = [size, ...schedule.map((entry) => entry.size)]
  const per = PREFERRED_PERIODS.find((period) => sizes.every((each) => refillsWithin(each, period)))
  if (per !== undefined) return { limit: size.capacity, per, ...limitEntries(schedule) }
  const { capacity, refillRate } = size
  return { capacity, refill_rate: refillRate, ...scheduleNotation(schedule, rateNotation) }
}

/** A paused bucket refills within any period. */
const PREFERRED_PERIODS: readonly Period[] = ['minute', ...PERIODS.filter((period) => period !== 'minute')]

const refillsWithin = (size: LimitSize, period: Period): boolean =>
  size.algorithm === 'token_bucket' &&
  (size.capacity === 0 || nsPerToken(size.refillRate) === nsPerToken(size.capacity / PERIOD_SECONDS[period]))

const rateNotation = (size: LimitSize): JsonObject =>
  size.algorithm === 'token_bucket' && size.capacity > 0
    ? { capacity: size.capacity, refill_rate: size.refillRate }
    : { capacity: amountOf(size) }

/** Limits in the order of their names: their order in a list has no effect. */
export const limitsNotation = (limits: readonly Limit[]): readonly JsonObject[] =>
  [...limits].sort((a, b) => (a.name < b.name ? -1 : 1)).map(limitNotation)

/** A registered model. */
export const modelNotation = (id: string, draft: ModelDraft): JsonObject => {
  const { tier, prices, tokenWeights, upstreams = [], maxOutputTokens } = draft
  return stated({
    tier: tier ?? undefined,
    prices: prices ? pricesNotation(prices) : undefined,
    token_weights: tokenWeights ? weightsNotation(tokenWeights) : undefined,
    upstreams:
      upstreams.length === 0
        ? undefined
        : upstreams.map(({ upstream, model }) =>
            stated({ upstream, model: model === null ? undefined : unless(id, model) }),
          ),
    max_output_tokens: maxOutputTokens && unless(DEFAULT_MAX_OUTPUT_TOKENS, maxOutputTokens),
  })
}

const pricesNotation = (prices: NonNullable<ModelDraft['prices']>): JsonObject => {
  const { service_tiers: tiers, ...standard } = pricesToJson(prices)
  return stated({ ...standard, service_tiers: tiers && filled(tiers) })
}

const weightsNotation = (weights: TokenWeights): JsonObject | undefined =>
  filled(Object.fromEntries(Object.entries(tokenWeightsToJson(weights)).filter(([, weight]) => weight !== 1)))

/** An upstream, with the reference of its secret. */
export const upstreamNotation = (draft: UpstreamDraft): JsonObject => {
  const { timeouts, adaptive } = draft
  const { connectSeconds, firstByteSeconds, idleSeconds, totalSeconds } = DEFAULT_TIMEOUTS
  return stated({
    kind: draft.kind,
    base_url: draft.baseUrl ?? undefined,
    region: draft.region ?? undefined,
    signing_service: draft.signingService ?? undefined,
    secret: draft.secret ?? undefined,
    headers: filled(draft.headers),
    connect_timeout_seconds: unless(connectSeconds, timeouts.connectSeconds),
    first_byte_timeout_seconds: unless(firstByteSeconds, timeouts.firstByteSeconds),
    idle_timeout_seconds: unless(idleSeconds, timeouts.idleSeconds),
    total_timeout_seconds: unless(totalSeconds, timeouts.totalSeconds),
    adaptive: adaptive === null ? undefined : stated({ floor: unless(DEFAULT_FLOOR, adaptive.floor) }),
  })
}

/** An alert, with the reference of its secret. */
export const alertNotation = ({ entityId, policy, limitName, shares, target }: AlertDraft): JsonObject =>
  stated({
    entity_id: entityId ?? undefined,
    policy: policy ? policyPath(policy) : undefined,
    limit_name: limitName ?? undefined,
    shares: String(shares) === String(DEFAULT_SHARES) ? undefined : shares,
    webhook: target.kind === 'webhook' ? { url: target.url, secret: target.secret } : undefined,
    sns_topic_arn: target.kind === 'sns' ? target.topicArn : undefined,
  })

/** The fields of an entity that administrators set. */
export type EntitySettings = Omit<Entity, 'createdAt' | 'version'>

/** An entity. The models that it may use are a set. */
export const entityNotation = (entity: EntitySettings): JsonObject =>
  stated({
    name: unless(entity.id, entity.name),
    parent_id: entity.parentId ?? undefined,
    kind: unless(ENTITY_DEFAULTS.kind, entity.kind),
    cascade: unless(ENTITY_DEFAULTS.cascade, entity.cascade),
    role: entity.role ?? undefined,
    priority: unless(ENTITY_DEFAULTS.priority, entity.priority),
    models: entity.models === null ? undefined : [...new Set(entity.models)].sort(),
    metadata: filled(entity.metadata),
    disabled: unless(ENTITY_DEFAULTS.disabled, entity.disabled),
    bypass: unless(ENTITY_DEFAULTS.bypass, entity.bypass),
  })
