import { Hono } from 'hono'
import { policyCheckBody, policyCheckResponse } from '../../contract/policies.ts'
import { periodText } from '../../core/bucket/registry.ts'
import type { Decision, LimitState } from '../../core/decide/decision.ts'
import { usedShare } from '../../core/decide/limit-state.ts'
import { type PolicyUse, policyUses } from '../../core/decide/policy-use.ts'
import { isModelId } from '../../core/model/entity.ts'
import { invalid } from '../../core/model/errors.ts'
import type { Model } from '../../core/model/model.ts'
import { policyLabel, selectorText } from '../../core/model/policy.ts'
import { degradedField } from '../../web/denial-json.ts'
import { DEGRADED } from '../../web/rate-limit-headers.ts'
import type { AppDependencies, AppEnv } from '../app-dependencies.ts'
import { jsonBody } from '../body/validated.ts'
import { deciderOf, requireDecided } from '../decisions.ts'
import type { ModelCatalog, ModelLookup } from '../models/model-lookup.ts'
import { describeRoute } from '../openapi/described.ts'

type Needs = Pick<AppDependencies, 'limiter' | 'settings'> & {
  readonly models: ModelLookup
  readonly catalog: ModelCatalog
}

/** For a gateway that is trusted to name the user: decides by policies only, and charges one request. */
export const createPolicyCheckRoutes = (needs: Needs) => {
  const decider = deciderOf(needs)
  return new Hono<AppEnv>().post(
    '/check',
    describeRoute({
      tag: 'Policies',
      summary: 'Decide by policies only, and charge one request',
      description:
        'Always 200: `allowed` contains the decision. A blocked request is charged to no policy. `modelTier` overrides the model’s tier.',
      response: policyCheckResponse,
      errors: [400],
    }),
    jsonBody(policyCheckBody),
    async (c) => {
      const { userId: user, sessionId, modelId, tenantId: tenant, modelTier, apiKey } = c.req.valid('json')
      const model = await knownModel(needs, modelId)
      const tier = modelTier == null ? model.tier : await knownTier(needs, model, modelTier)
      const subject = {
        ...{ user, session: sessionId ?? undefined, tenant, model: model.id },
        ...{ tier: tier ?? undefined, apiKey: apiKey ?? undefined },
      }
      const decision = requireDecided(await decider.checkPolicies(subject))
      if (decision.degraded) c.header(DEGRADED, 'true')
      return c.json(policyCheckJson(decision))
    },
  )
}

/** Throws `invalid_request` that lists the registered models. */
const knownModel = async ({ models, catalog }: Needs, id: string): Promise<Model> => {
  const model = isModelId(id) ? await models.get(id) : undefined
  if (model !== undefined) return model
  throw invalid(
    'modelId',
    `be a registered model: ${listed((await catalog.latest()).map((each) => each.id))}`,
  )
}

/** Throws `invalid_request` that lists the tiers of registered models. */
const knownTier = async ({ catalog }: Needs, model: Model, tier: string): Promise<string> => {
  if (model.tier === tier || tiersOf(await catalog.models()).includes(tier)) return tier
  const tiers = tiersOf(await catalog.latest())
  if (tiers.includes(tier)) return tier
  throw invalid('modelTier', `be the tier of a registered model: ${listed(tiers)}`)
}

const tiersOf = (models: readonly Model[]): readonly string[] => [
  ...new Set(models.flatMap(({ tier }) => tier ?? [])),
]

const MAX_LISTED = 50

const listed = (names: readonly string[]): string => {
  if (names.length === 0) return 'there is none yet'
  const shown = names.toSorted().slice(0, MAX_LISTED).join(', ')
  return names.length > MAX_LISTED ? `${shown} and ${names.length - MAX_LISTED} more` : shown
}

/** The response to a gateway for a decision by policies only. */
const policyCheckJson = (decision: Decision) => {
  const uses = policyUses(decision)
  const [primary] = uses
  return {
    allowed: decision.allowed,
    cause: decision.allowed ? null : causeOf(uses),
    primary: primary
      ? { label: policyLabel(primary.key), ...countsJson(primary), percent: percentOf(primary) }
      : null,
    policies: decision.allowed ? uses.map(fulfilledJson) : [],
    ...degradedField(decision),
  }
}

/** The failed policies, most specific first: `TENANT exceeded: 51/50 in the last 3600 seconds (key=TENANT:free_co); also violated: …`. */
const causeOf = ([primary, ...others]: readonly PolicyUse[]): string | null => {
  if (primary === undefined) return null
  const { key, state } = primary
  const first = `${key.scope} exceeded: ${countOf(primary)} ${periodText(state.limit.size, windowSeconds(state))} (key=${keyText(primary)})`
  if (others.length === 0) return first
  return `${first}; also violated: ${others.map((use) => `${use.key.scope} (${countOf(use)})`).join(', ')}`
}

/** Names the bucket: of a policy on users or sessions, which has many, with the tenant and the name. */
const keyText = ({ key, state: { bucket } }: PolicyUse): string =>
  `${key.scope}:${selectorText(bucket.kind === 'policy' ? bucket : key)}`

const countOf = ({ count, state }: PolicyUse): string => `${count}/${state.capacity}`

const fulfilledJson = (use: PolicyUse) => ({
  label: policyLabel(use.key),
  scope: use.key.scope,
  selector: selectorText(use.key),
  ...countsJson(use),
  window_minutes: Math.round((windowSeconds(use.state) / 60) * 1000) / 1000,
})

const countsJson = ({ count, state }: PolicyUse) => ({
  count,
  limit: state.capacity,
  window_seconds: windowSeconds(state),
})

/** Rounded to the millisecond. */
const windowSeconds = ({ windowNs }: LimitState): number => Math.round(Number(windowNs) / 1e6) / 1000

const percentOf = ({ count, state }: PolicyUse): number =>
  Math.min(100, Math.round(usedShare({ used: count, capacity: state.capacity }) * 1000) / 10)
