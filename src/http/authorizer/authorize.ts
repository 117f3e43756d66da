import type { AllowedContext, AuthorizerOptions, DeniedContext } from '../../contract/authorizer.ts'
import { DEFAULT_LIFETIME_SECONDS } from '../../contract/checks.ts'
import { type ReservationService, reservationEnd } from '../../core/admin/reservations.ts'
import type { Allowed, DecisionRequest } from '../../core/decide/decision.ts'
import { StoreUnavailable, ZaelError } from '../../core/model/errors.ts'
import type { Cost } from '../../core/model/meter.ts'
import type { Clock, Metrics } from '../../core/ports/platform.ts'
import type { ActingIdentity } from '../app-dependencies.ts'
import { type Authenticator, unauthorized } from '../auth/authenticator.ts'
import { identityOf } from '../auth/guards.ts'
import { type Decider, decisionOf, requireDecided } from '../decisions.ts'
import { type ModelLookup, mayUse } from '../models/model-lookup.ts'
import { headerNames, namesOf } from '../request-names.ts'
import { allowedContext, deniedContext } from './authorizer-context.ts'
import { type AuthorizerEvent, headerOf, methodOf } from './authorizer-event.ts'

/** The response of a Lambda authorizer to API Gateway. */
export interface AuthorizerResponse {
  readonly principalId: string
  readonly policyDocument: {
    readonly Version: '2012-10-17'
    readonly Statement: readonly [
      {
        readonly Action: 'execute-api:Invoke'
        readonly Effect: 'Allow' | 'Deny'
        readonly Resource: string
      },
    ]
  }
  readonly context: AllowedContext | DeniedContext
}

export interface AuthorizeNeeds {
  readonly authenticator: Authenticator
  readonly decider: Decider
  readonly reservationService: Pick<ReservationService, 'hold'>
  readonly models: ModelLookup
  readonly clock: Clock
  readonly metrics: Metrics
  readonly options: AuthorizerOptions
}

/**
 * Identifies the caller of a request to a REST API and charges the request. Allow: it may pass. Deny: a limit denied it.
 * Rejects with `ZaelError('unauthorized')` for a caller that may not pass whatever they have left, and with `StoreUnavailable`
 * if they cannot be identified, or a limit with `on_unavailable: deny` cannot be checked.
 */
export type Authorize = (event: AuthorizerEvent) => Promise<AuthorizerResponse>

export const createAuthorize =
  (needs: AuthorizeNeeds): Authorize =>
  async (event) => {
    const acting = await callerOf(needs, event)
    const request = requestOf(needs, acting, event)
    const decision = requireDecided(await decide(needs, request))
    if (!decision.allowed) return response(event, 'Deny', deniedContext(acting.entityId, decision))
    const held = request.settles ? await hold(needs, acting, decision) : undefined
    return response(event, 'Allow', allowedContext(acting.entityId, decision, held))
  }

const callerOf = async (needs: AuthorizeNeeds, event: AuthorizerEvent): Promise<ActingIdentity> => {
  try {
    const identity = await identityOf(needs.authenticator, headerOf(event))
    if (identity.kind !== 'caller') throw unauthorized('The authorizer accepts credentials of callers only')
    await requireAllowed(needs, identity)
    return { ...identity, kind: identity.kind }
  } catch (error) {
    if (error instanceof ZaelError && error.code === 'unauthorized')
      needs.metrics.count('authentication_failures')
    throw error
  }
}

/** A response of an authorizer has no 403 beside the denial of a limit, so a model that the caller may not use is 401. */
const requireAllowed = async (
  { models, options: { resource } }: AuthorizeNeeds,
  { entity }: Pick<ActingIdentity, 'entity'>,
): Promise<void> => {
  if (resource === undefined || mayUse(entity, resource)) return
  if ((await models.get(resource)) !== undefined) throw unauthorized(`The model ${resource} is not allowed`)
}

/** An entity that was deleted while it was cached has no limits by which to decide. */
const decide = async ({ decider }: AuthorizeNeeds, request: DecisionRequest) => {
  try {
    return await decisionOf(decider, request)
  } catch (error) {
    if (error instanceof ZaelError && error.code === 'not_found') throw unauthorized(error.message)
    throw error
  }
}

const ONE_REQUEST: Cost = { requests: 1 }

/** The path of the route is API Gateway's, not the client's. */
const costOf = (options: AuthorizerOptions, { httpMethod, resource }: AuthorizerEvent): Cost => {
  const { cost = ONE_REQUEST, route_costs: costs = {} } = options
  return ownValue(costs, `${httpMethod} ${resource}`) ?? ownValue(costs, `ANY ${resource}`) ?? cost
}

const ownValue = (costs: Readonly<Record<string, Cost>>, route: string): Cost | undefined =>
  Object.hasOwn(costs, route) ? costs[route] : undefined

/** A request that costs nothing leaves nothing to settle. */
const requestOf = (
  { options, clock }: AuthorizeNeeds,
  acting: ActingIdentity,
  event: AuthorizerEvent,
): DecisionRequest => {
  const { entityId, token } = acting
  const cost = costOf(options, event)
  const settles = options.settles === true && Object.values(cost).some((amount) => amount > 0)
  const { user, session } = namesOf(acting, headerNames(headerOf(event)))
  return {
    entityId,
    cost,
    settles,
    ...(settles && { slotsUntil: reservationEnd(clock.now(), lifetimeOf(options)) }),
    ...(token !== undefined && { entity: token.entity }),
    ...(options.resource !== undefined && { resource: options.resource }),
    ...(user !== undefined && { user }),
    ...(session !== undefined && { session }),
  }
}

const lifetimeOf = ({ expires_in_seconds }: AuthorizerOptions): number =>
  expires_in_seconds ?? DEFAULT_LIFETIME_SECONDS

/**
 * Stores the reservation. A decision that was made without the store, as its limits allow, passes without one: requiring the
 * store here would undo `on_unavailable`.
 */
const hold = async (needs: AuthorizeNeeds, { entityId }: ActingIdentity, decision: Allowed) => {
  try {
    return await needs.reservationService.hold(entityId, decision.reservation, lifetimeOf(needs.options))
  } catch (error) {
    if (error instanceof StoreUnavailable && decision.degraded) return undefined
    throw error
  }
}

const response = (
  event: AuthorizerEvent,
  effect: 'Allow' | 'Deny',
  context: AuthorizerResponse['context'],
): AuthorizerResponse => ({
  principalId: context.entityId,
  policyDocument: {
    Version: '2012-10-17',
    Statement: [{ Action: 'execute-api:Invoke', Effect: effect, Resource: methodOf(event) }],
  },
  context,
})
