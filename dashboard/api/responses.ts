import type { InferOutput } from 'valibot'
import type {
  alertEventResponse,
  alertEventsResponse,
  alertResponse,
  alertsResponse,
} from '../../src/contract/alerts.ts'
import type { allowedResponse, deniedResponse, ownLimitsResponse } from '../../src/contract/checks.ts'
import type {
  availabilityResponse,
  dashboardEntitiesResponse,
  dashboardEntity,
  sessionResponse,
  trafficResponse,
  waitTimeResponse,
} from '../../src/contract/dashboard.ts'
import type { childrenResponse, entitiesResponse, entityResponse } from '../../src/contract/entities.ts'
import type { auditResponse, usageResponse } from '../../src/contract/history.ts'
import type { keyResponse, keysResponse, newKeyResponse } from '../../src/contract/keys.ts'
import type {
  defaultsResponse,
  explainResponse,
  limitResponse,
  limitsResponse,
} from '../../src/contract/limits.ts'
import type { modelResponse, modelsResponse, openAiModelsResponse } from '../../src/contract/models.ts'
import type {
  namedBucketResponse,
  policiesResponse,
  policyCheckResponse,
  policyResponse,
} from '../../src/contract/policies.ts'

import type { upstreamResponse, upstreamsResponse } from '../../src/contract/upstreams.ts'

/**
 * The types of the API's responses, inferred from the schemas that the server's tests check responses
 * against.
 */
export type Session = InferOutput<typeof sessionResponse>
export type DashboardEntity = InferOutput<typeof dashboardEntity>
export type DashboardEntities = InferOutput<typeof dashboardEntitiesResponse>
export type Availability = InferOutput<typeof availabilityResponse>
export type WaitTime = InferOutput<typeof waitTimeResponse>
export type Entity = InferOutput<typeof entityResponse>
export type Entities = InferOutput<typeof entitiesResponse>
export type Children = InferOutput<typeof childrenResponse>
export type ApiKey = InferOutput<typeof keyResponse>
export type ApiKeys = InferOutput<typeof keysResponse>
export type NewApiKey = InferOutput<typeof newKeyResponse>
export type Limit = InferOutput<typeof limitResponse>
export type Limits = InferOutput<typeof limitsResponse>
export type Defaults = InferOutput<typeof defaultsResponse>
export type Explanation = InferOutput<typeof explainResponse>
export type Usage = InferOutput<typeof usageResponse>
export type Audit = InferOutput<typeof auditResponse>
export type Policy = InferOutput<typeof policyResponse>
export type Policies = InferOutput<typeof policiesResponse>
export type NamedBucket = InferOutput<typeof namedBucketResponse>
export type PolicyCheck = InferOutput<typeof policyCheckResponse>
export type OwnLimits = InferOutput<typeof ownLimitsResponse>
export type CheckAllowed = InferOutput<typeof allowedResponse>
export type CheckDenied = InferOutput<typeof deniedResponse>
export type Model = InferOutput<typeof modelResponse>
export type Models = InferOutput<typeof modelsResponse>
export type OwnModels = InferOutput<typeof openAiModelsResponse>
export type Upstream = InferOutput<typeof upstreamResponse>
export type Upstreams = InferOutput<typeof upstreamsResponse>
export type Alert = InferOutput<typeof alertResponse>
export type Alerts = InferOutput<typeof alertsResponse>
export type AlertEvent = InferOutput<typeof alertEventResponse>
export type AlertEvents = InferOutput<typeof alertEventsResponse>
export type Traffic = InferOutput<typeof trafficResponse>
