import type { InferOutput } from 'valibot'
import type { allowedAnswer, deniedAnswer } from '../../src/http/checking/check-schema.ts'
import type {
  policiesAnswer,
  policyAnswer,
  policyCheckAnswer,
} from '../../src/http/policies/policy-schemas.ts'
import type {
  availabilityAnswer,
  dashboardEntitiesAnswer,
  dashboardEntity,
  sessionAnswer,
  trafficAnswer,
  waitTimeAnswer,
} from '../../src/http/schemas/dashboard-schemas.ts'
import type {
  childrenAnswer,
  entitiesAnswer,
  entityAnswer,
  keyAnswer,
  keysAnswer,
  newKeyAnswer,
} from '../../src/http/schemas/entity-schemas.ts'
import type {
  defaultsAnswer,
  explainAnswer,
  limitAnswer,
  limitsAnswer,
} from '../../src/http/schemas/limit-schemas.ts'
import type { modelAnswer, modelsAnswer } from '../../src/http/schemas/model-schemas.ts'
import type { auditAnswer, usageAnswer } from '../../src/http/schemas/record-schemas.ts'

/** What the API answers: the very schemas that its answers are tested against, as types alone. */
export type Session = InferOutput<typeof sessionAnswer>
export type DashboardEntity = InferOutput<typeof dashboardEntity>
export type DashboardEntities = InferOutput<typeof dashboardEntitiesAnswer>
export type Availability = InferOutput<typeof availabilityAnswer>
export type WaitTime = InferOutput<typeof waitTimeAnswer>
export type Entity = InferOutput<typeof entityAnswer>
export type Entities = InferOutput<typeof entitiesAnswer>
export type Children = InferOutput<typeof childrenAnswer>
export type ApiKey = InferOutput<typeof keyAnswer>
export type ApiKeys = InferOutput<typeof keysAnswer>
export type NewApiKey = InferOutput<typeof newKeyAnswer>
export type Limit = InferOutput<typeof limitAnswer>
export type Limits = InferOutput<typeof limitsAnswer>
export type Defaults = InferOutput<typeof defaultsAnswer>
export type Explanation = InferOutput<typeof explainAnswer>
export type Usage = InferOutput<typeof usageAnswer>
export type Audit = InferOutput<typeof auditAnswer>
export type Policy = InferOutput<typeof policyAnswer>
export type Policies = InferOutput<typeof policiesAnswer>
export type PolicyCheck = InferOutput<typeof policyCheckAnswer>
export type CheckAllowed = InferOutput<typeof allowedAnswer>
export type CheckDenied = InferOutput<typeof deniedAnswer>
export type Model = InferOutput<typeof modelAnswer>
export type Models = InferOutput<typeof modelsAnswer>
export type Traffic = InferOutput<typeof trafficAnswer>
