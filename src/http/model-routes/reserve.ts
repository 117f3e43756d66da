import type { Decision, DecisionRequest, Denied } from '../../core/decide/decision.ts'
import { createUnpricedWatch, type UnpricedWatch } from '../../core/decide/policy-use.ts'
import type { JsonObject } from '../../core/model/json.ts'
import type { Cost } from '../../core/model/meter.ts'
import type { Model } from '../../core/model/model.ts'
import type { AbortSignalLike, LongPrompt, ModelApi, PromptEstimate } from '../../core/ports/model-backend.ts'
import { type Eventual, whenReady } from '../../core/ports/when-ready.ts'
import type { HeaderOf } from '../../web/client.ts'
import type { ActingIdentity, AppDependencies } from '../app-dependencies.ts'
import { type Decider, decisionOf } from '../decisions.ts'
import type { RequestNames } from '../request-names.ts'
import { estimatedCost } from './model-cost.ts'
import { needsBound, outputBoundOf, reservedOutput } from './output-bound.ts'
import { continuedTokens } from './response-chain.ts'

/** A valid request to a model that is registered and allowed. */
export interface RoutedRequest {
  readonly api: ModelApi
  readonly acting: ActingIdentity
  readonly body: JsonObject
  readonly model: Model
  /** The user and the session that the request names, in its body or a header. */
  readonly names: RequestNames
  readonly requestId: string
  readonly header: HeaderOf
  /** Aborts when the client disconnects. Created on demand, which few requests do: it takes longer than a decision. */
  readonly signal: () => AbortSignalLike
}

/** A decided request. */
interface Decided {
  readonly decision: Decision
  readonly estimate: PromptEstimate
  /** The most output tokens per choice; null: the request names a maximum, or has no output. */
  readonly bound: number | null
}

interface ReserveNeeds extends Pick<AppDependencies, 'backend' | 'clock' | 'logger' | 'responses'> {
  readonly decider: Decider
}

interface Reserving extends ReserveNeeds {
  readonly unpriced: UnpricedWatch
}

/** Counts the prompt of a request, and reserves it with the most output that the response may contain. */
export const createReserve = (needs: ReserveNeeds): ((request: RoutedRequest) => Eventual<Decided>) => {
  const reserving: Reserving = { ...needs, unpriced: createUnpricedWatch(needs.logger) }
  return (request) =>
    whenReady(needs.backend.estimate(request), (prompt) =>
      'least' in prompt
        ? reserveLong(reserving, request, prompt)
        : reserveCounted(reserving, request, prompt),
    )
}

/**
 * A caller at their limit cannot make the process count long prompts: by a lower bound of its tokens, a request that can never
 * pass, or repeats a denial of the last second, is denied at once.
 */
const reserveLong = async (
  reserving: Reserving,
  request: RoutedRequest,
  { least, count }: LongPrompt,
): Promise<Decided> => {
  const { decider } = reserving
  const admissible = await admissibleFor(decider, request)
  const bound = outputBoundOf(least, request.model, admissible)
  const wanted = decisionRequest(request, estimatedCost(request, least, reservedOutput(least, bound)))
  const paced = atPace(reserving, request, wanted)
  const isDenied = decider.foreseesDenial(paced) || exceeds(wanted.cost, admissible)
  const denied = isDenied ? await denialOf(decider, paced) : undefined
  if (denied !== undefined) return { decision: denied, estimate: least, bound }
  const decided = await reserveCounted(reserving, request, await count())
  if (!decided.decision.allowed) await denialOf(decider, wanted)
  return decided
}

const admissibleFor = (decider: Decider, { acting, model, names }: RoutedRequest): Eventual<Cost> =>
  decider.largestAdmissible({
    ...{ entityId: acting.entityId, entity: acting.token?.entity, resource: model.id },
    ...names,
  })

const exceeds = (cost: Cost, admissible: Cost): boolean =>
  (cost.tokens ?? 0) > (admissible.tokens ?? Number.POSITIVE_INFINITY) ||
  (cost.input_tokens ?? 0) > (admissible.input_tokens ?? Number.POSITIVE_INFINITY)

/** The denial of a request; undefined, and nothing charged, if it is allowed. It is remembered for a second. */
const denialOf = async (decider: Decider, wanted: DecisionRequest): Promise<Denied | undefined> => {
  const decision = await decider.decide(wanted)
  if (!decision.allowed) return decision
  await decision.reservation.release()
  return undefined
}

const reserveCounted = (
  reserving: Reserving,
  request: RoutedRequest,
  counted: PromptEstimate,
): Eventual<Decided> =>
  whenReady(withContinued(reserving, request, counted), (estimate) => {
    const admissible = needsBound(estimate) ? admissibleFor(reserving.decider, request) : NO_COST
    return whenReady(admissible, (most) =>
      reserveBounded(reserving, request, estimate, outputBoundOf(estimate, request.model, most)),
    )
  })

const NO_COST: Cost = {}

/** The estimate, with the tokens of the response that the request continues. */
const withContinued = (
  needs: Reserving,
  { api, acting, body }: RoutedRequest,
  estimate: PromptEstimate,
): Eventual<PromptEstimate> => {
  if (api !== 'responses') return estimate
  return continuedTokens(needs, acting.entityId, body).then((continued) =>
    continued === 0 ? estimate : { ...estimate, inputTokens: estimate.inputTokens + continued },
  )
}

const reserveBounded = (
  reserving: Reserving,
  request: RoutedRequest,
  estimate: PromptEstimate,
  bound: number | null,
): Eventual<Decided> => {
  const cost = estimatedCost(request, estimate, reservedOutput(estimate, bound))
  const wanted = atPace(reserving, request, decisionRequest(request, cost))
  return whenReady(decisionOf(reserving.decider, wanted), (decision) => {
    reserving.unpriced(request.model, decision)
    return { decision, estimate, bound }
  })
}

/** At the pace of the model, if its upstream is at its own limit. */
const atPace = (
  { backend }: Reserving,
  { acting, model }: RoutedRequest,
  wanted: DecisionRequest,
): DecisionRequest => {
  const pace = backend.paceOf(model, acting.entityId)
  return pace === undefined ? wanted : { ...wanted, pace }
}

const decisionRequest = ({ acting, model, names }: RoutedRequest, cost: Cost): DecisionRequest => {
  const wanted: { -readonly [K in keyof DecisionRequest]: DecisionRequest[K] } = {
    entityId: acting.entityId,
    resource: model.id,
    cost,
    settles: true,
  }
  if (acting.token !== undefined) wanted.entity = acting.token.entity
  const { user, session } = names
  if (user !== undefined) wanted.user = user
  if (session !== undefined) wanted.session = session
  return wanted
}
