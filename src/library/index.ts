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
export {
  createRateLimiter,
  type LimitsInCode,
  type LimitsInTable,
  type RateLimiterOptions,
} from './limiter/create-rate-limiter.ts'
export type {
  FixedWindowDefinition,
  LimitDefinition,
  PerPeriodDefinition,
  SlidingWindowDefinition,
  TokenBucketDefinition,
} from './limiter/limit-definition.ts'
export type { CodeLimits } from './limiter/limits-in-code.ts'
export type {
  CheckOptions,
  LimitUse,
  RateLimitDecision,
  RateLimiter,
  RateLimitReservation,
  ViolatedLimit,
} from './limiter/rate-limiter.ts'
export { type HeaderForm, rateLimitHeaderNames } from './middleware/answer-headers.ts'
export type { LimiterOrLimits, MiddlewareOptions, RateLimitOptions } from './middleware/rate-limit-options.ts'
export type { Denial, LimitWarning, MiddlewareMetric } from './middleware/reports.ts'
export type { Bypass, SharedSecret } from './requests/bypass.ts'
export { type CostFunction, costByMethod } from './requests/cost-functions.ts'
export type { Exemptions } from './requests/exemptions.ts'
export {
  byApiKey,
  byClientIp,
  type ClientIpOptions,
  firstOf,
  type KeyFunction,
} from './requests/key-functions.ts'
export type { AnswerFacts, RequestFacts } from './requests/request-facts.ts'
export { byAnswer, byJsonUsage, byTokenCount, type SettleFunction } from './requests/settle-functions.ts'
export { byZaelKey } from './requests/zael-key.ts'
export type { LimiterStore } from './stores/limiter-store.ts'
export { type MemoryStoreOptions, memoryStore } from './stores/memory-store.ts'
