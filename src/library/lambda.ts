export {
  byApiKeyId,
  byAuthorizer,
  byClaim,
  byMessageGroup,
  bySourceIp,
} from './lambda/event-keys.ts'
export { bodyText, type HttpResult } from './lambda/http-results.ts'
export { type MiddyRateLimit, middyRateLimit } from './lambda/middy-rate-limit.ts'
export { type BatchResponse, perRecord, type SqsEvent, type SqsRecord } from './lambda/per-record.ts'
export { type PowertoolsRateLimit, powertoolsRateLimit } from './lambda/powertools-rate-limit.ts'
export { RejectedError } from './lambda/rejected-error.ts'
export {
  type ContextSettlement,
  type ContextSettler,
  type ContextSettlerOptions,
  createContextSettler,
  headersFromContext,
  settleFromContext,
} from './lambda/settle-from-context.ts'
export type { ChangeVisibility, DelayedMessage } from './lambda/visibility.ts'
export {
  type LambdaHandler,
  type LambdaRateLimitOptions,
  type LimitedResult,
  type NativeOf,
  withRateLimit,
} from './lambda/with-rate-limit.ts'
