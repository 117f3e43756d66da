import { Hono } from 'hono'
import { policyCheckBody, policyCheckResponse } from '../../contract/policies.ts'
import type { Decision } from '../../core/decide/decision.ts'
import { settledReservation } from '../../core/decide/reservation.ts'
import { isModelId } from '../../core/model/entity.ts'
import { invalid, StoreUnavailable } from '../../core/model/errors.ts'
import type { Model } from '../../core/model/model.ts'
import type { PolicySubject } from '../../core/model/policy.ts'
import type { AppDependencies, AppEnv } from '../app-dependencies.ts'
import { jsonBody } from '../body/validated.ts'
import type { ModelLookup } from '../chat/model-lookup.ts'
import { described } from '../docs/described.ts'
import { policyCheckJson } from './check-json.ts'
import type { ModelCatalog } from './model-catalog.ts'

type Needs = Pick<AppDependencies, 'limiter' | 'settings'> & {
  readonly models: ModelLookup
  readonly catalog: ModelCatalog
}

/** For a gateway that is trusted to name the user: decides by policies alone, and charges one request. */
export const createPolicyCheckRoutes = (needs: Needs) =>
  new Hono<AppEnv>().post(
    '/check',
    described({
      tag: 'Policies',
      summary: 'Decide by policies alone, and count one request',
      description:
        'Always 200: `allowed` tells. A request that is blocked counts nowhere. A tier that is given wins over the model’s.',
      answer: policyCheckResponse,
      errors: [400],
    }),
    jsonBody(policyCheckBody),
    async (c) => {
      const { userId: user, modelId, tenantId: tenant, modelTier, apiKey } = c.req.valid('json')
      const model = await knownModel(needs, modelId)
      const tier = modelTier == null ? model.tier : await knownTier(needs, model, modelTier)
      const subject = { user, tenant, model: model.id, tier: tier ?? undefined, apiKey: apiKey ?? undefined }
      const decision = await decide(needs, subject)
      if (decision.degraded) c.header('x-zael-degraded', 'true')
      return c.json(policyCheckJson(decision))
    },
  )

const notCalled: Decision = {
  allowed: true,
  degraded: false,
  limits: [],
  reported: [],
  reservation: settledReservation,
}

const decide = async ({ limiter, settings }: Needs, subject: PolicySubject): Promise<Decision> => {
  if (settings.bypassLimiter) return notCalled
  const decision = await limiter.checkPolicies(subject)
  if (!decision.allowed && decision.unavailable) {
    throw new StoreUnavailable('A policy cannot be checked', { mayHaveApplied: false })
  }
  return decision
}

/** Throws `invalid_request` that says which models are registered. */
const knownModel = async ({ models, catalog }: Needs, id: string): Promise<Model> => {
  const model = isModelId(id) ? await models.get(id) : undefined
  if (model !== undefined) return model
  throw invalid(
    'modelId',
    `be a registered model: ${listed((await catalog.latest()).map((each) => each.id))}`,
  )
}

/** Throws `invalid_request` that says which tiers registered models have. */
const knownTier = async ({ catalog }: Needs, model: Model, tier: string): Promise<string> => {
  if (model.tier === tier || tiersOf(await catalog.models()).includes(tier)) return tier
  const tiers = tiersOf(await catalog.latest())
  if (tiers.includes(tier)) return tier
  throw invalid('modelTier', `be the tier of a registered model: ${listed(tiers)}`)
}

const tiersOf = (models: readonly Model[]): readonly string[] => [
  ...new Set(models.flatMap(({ tier }) => tier ?? [])),
]

const MOST_LISTED = 50

const listed = (names: readonly string[]): string => {
  if (names.length === 0) return 'there is none yet'
  const shown = names.toSorted().slice(0, MOST_LISTED).join(', ')
  return names.length > MOST_LISTED ? `${shown} and ${names.length - MOST_LISTED} more` : shown
}
