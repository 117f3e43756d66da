export type {
  ConcurrencyDefinition,
  FirstUseWindowDefinition,
  FixedWindowDefinition,
  LimitDefinition,
  PerPeriodDefinition,
  SlidingWindowDefinition,
  TokenBucketDefinition,
} from '../contract/limit-sizes.ts'
export type { CapacityScheduleEntry, LimitScheduleEntry } from '../contract/schedule.ts'
export type {
  Allowed,
  Decision,
  Denied,
  LimitState,
  Reservation,
  Violation,
} from '../core/decide/decision.ts'
export type { Priority } from '../core/model/entity.ts'
export { type ErrorCode, StoreUnavailable, ZaelError } from '../core/model/errors.ts'
export type { Limit, LimitMode, OnUnavailable } from '../core/model/limit.ts'
export type { Cost, Meter } from '../core/model/meter.ts'
export type { Clock, MetricName, Metrics } from '../core/ports/platform.ts'
export { type Logger, silentLogger } from '../core/ports/platform.ts'
export { createRateLimiter } from './limiter/create-rate-limiter.ts'
export type { LimitsInCode, LimitsInTable, RateLimiterOptions } from './limiter/limiter-options.ts'
export type { CodeLimits } from './limiter/limits-in-code.ts'
export type {
  CheckOptions,
  LimitUse,
  RateLimitDecision,
  RateLimiter,
  RateLimitReservation,
  ReserveOptions,
  ViolatedLimit,
} from './limiter/rate-limiter.ts'
export type { LimiterOrLimits, MiddlewareOptions, RateLimitOptions } from './middleware/rate-limit-options.ts'
export {
  type DecisionHeaderOptions,
  type Rejection,
  type RejectionBody,
  rateLimitHeaders,
  rejection,
} from './middleware/rejection.ts'
export type { Denial, LimitWarning, MiddlewareMetric } from './middleware/reports.ts'
export { type HeaderForm, type ResetFormat, rateLimitHeaderNames } from './middleware/response-headers.ts'
export { byJwt, type JwtIssuer, type JwtKey, type JwtOptions } from './requests/by-jwt.ts'
export type { AnswerFacts, RequestFacts, ResponseFacts } from './requests/costs.ts'
export {
  byAnswer,
  byJsonUsage,
  byResponse,
  byTokenCount,
  type CostFunction,
  costByMethod,
  type SettleFunction,
} from './requests/costs.ts'
export type { Bypass, Exemptions, SharedSecret } from './requests/exemptions.ts'
export type { JwtIdentity } from './requests/jwt-identity.ts'
export {
  byApiKey,
  byClientIp,
  byZaelKey,
  type ClientIpOptions,
  firstOf,
  type KeyFunction,
} from './requests/keys.ts'
export type { LimiterStore } from './stores/memory-store.ts'
export { type MemoryStoreOptions, memoryStore } from './stores/memory-store.ts'
