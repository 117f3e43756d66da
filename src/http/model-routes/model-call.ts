import type { Decision, DecisionRequest, Denied, Reservation } from '../../core/decide/decision.ts'
import { createUnpricedWatch, type UnpricedWatch } from '../../core/decide/policy-use.ts'
import type { JsonObject } from '../../core/model/json.ts'
import type { Cost } from '../../core/model/meter.ts'
import { type Model, priceOf } from '../../core/model/model.ts'
import {
  type AbortSignalLike,
  CallAborted,
  type ModelApi,
  type ModelBackend,
  type ModelCall,
  type ModelCharge,
  type ModelEvents,
  type ModelReply,
  type ModelUsage,
  type PromptEstimate,
} from '../../core/ports/model-backend.ts'
import type { HeaderOf } from '../../web/client.ts'
import { isAnthropic } from '../../web/model-errors.ts'
import { type Headers, messagesHeaders, modelRouteHeaders } from '../../web/rate-limit-headers.ts'
import type { ActingIdentity, AppDependencies, HttpSettings } from '../app-dependencies.ts'
import { type Decider, deciderOf, modelDenialResponse } from '../decisions.ts'
import { formatOf, modelProblemBody } from '../errors/wire-format.ts'
import type { ChunkReader, Reply } from '../response.ts'
import { needsBound, outputBoundOf, reservedOutput } from './output-bound.ts'
import { errorHeaders, passedHeaders } from './passed-headers.ts'
import { continuedTokens, keepResponse, requireStateless } from './response-chain.ts'

export interface ModelCallNeeds extends Pick<AppDependencies, 'limiter' | 'clock' | 'logger' | 'responses'> {
  readonly backend: ModelBackend
  readonly settings: Pick<HttpSettings, 'bypassLimiter' | 'errorFormat' | 'maxRetrySeconds'>
}

/** A valid request to a model that is registered and allowed. */
export interface RoutedRequest {
  readonly api: ModelApi
  readonly acting: ActingIdentity
  readonly body: JsonObject
  readonly model: Model
  /** The user that the request names, in its body or a header. */
  readonly user: string | undefined
  readonly requestId: string
  readonly header: HeaderOf
  /** Aborts when the client disconnects. Created on demand, which few requests do: it takes longer than a decision. */
  readonly signal: () => AbortSignalLike
}

/** Counts the prompt, reserves the estimate, calls the model, settles what was used. */
export const createModelCall = (needs: ModelCallNeeds): ((request: RoutedRequest) => Promise<Reply>) => {
  const reserving: Reserving = {
    backend: needs.backend,
    decider: deciderOf(needs),
    unpriced: createUnpricedWatch(needs.logger),
  }
  return async (request) => {
    if (request.api === 'responses') requireStateless(request.body)
    const least = needs.backend.leastEstimate(request)
    const long = least && (await longPrompt(reserving, request, least))
    if (long?.denied !== undefined) return denialReply(needs, request, long.denied)
    const estimate = await estimateOf(needs, request)
    const { decision, bound } = await reserve(reserving, request, estimate)
    if (!decision.allowed) {
      if (long !== undefined) await denialOf(reserving, long.wanted)
      return denialReply(needs, request, decision)
    }
    const headers = limitHeaders(needs, request, decision)
    const call = callOf(request, estimate, bound)
    return forward(needs, request, { headers, reservation: decision.reservation, call })
  }
}

interface Reserving {
  readonly backend: ModelBackend
  readonly decider: Decider
  readonly unpriced: UnpricedWatch
}

/** The estimate, with the tokens of the response that the request continues. */
const estimateOf = async (needs: ModelCallNeeds, request: RoutedRequest): Promise<PromptEstimate> => {
  const { api, body, acting } = request
  if (api !== 'responses') return needs.backend.estimate(request)
  const continued = await continuedTokens(needs, acting.entityId, body)
  const estimate = await needs.backend.estimate(request)
  return continued === 0 ? estimate : { ...estimate, inputTokens: estimate.inputTokens + continued }
}

interface LongPrompt {
  /** The request with a lower bound of its cost. */
  readonly wanted: DecisionRequest
  readonly denied: Denied | undefined
}

/**
 * A caller at their limit cannot make the process count long prompts: by a lower bound of its tokens, a request that can never
 * pass, or repeats a denial of the last second, is denied at once.
 */
const longPrompt = async (
  reserving: Reserving,
  request: RoutedRequest,
  least: PromptEstimate,
): Promise<LongPrompt> => {
  const { decider } = reserving
  const admissible = await admissibleFor(decider, request)
  const bound = outputBoundOf(least, request.model, admissible)
  const wanted = decisionRequest(request, estimatedCost(request, least, bound))
  const isDenied = decider.foreseesDenial(wanted) || exceeds(wanted.cost, admissible)
  return { wanted, denied: isDenied ? await denialOf(reserving, wanted) : undefined }
}

/** The denial of a request; undefined, and nothing charged, if it is allowed. It is remembered for a second. */
const denialOf = async ({ decider }: Reserving, wanted: DecisionRequest): Promise<Denied | undefined> => {
  const decision = await decider.decide(wanted)
  if (!decision.allowed) return decision
  await decision.reservation.release()
  return undefined
}

const exceeds = (cost: Cost, admissible: Cost): boolean =>
  (cost.tokens ?? 0) > (admissible.tokens ?? Number.POSITIVE_INFINITY) ||
  (cost.input_tokens ?? 0) > (admissible.input_tokens ?? Number.POSITIVE_INFINITY)

const admissibleFor = (decider: Decider, { acting, model, user }: RoutedRequest): Promise<Cost> =>
  decider.largestAdmissible({ entityId: acting.entityId, resource: model.id, user })

/** Decides on the prompt and on the most output that the response may contain. */
const reserve = async (
  { decider, unpriced }: Reserving,
  request: RoutedRequest,
  estimate: PromptEstimate,
): Promise<{ readonly decision: Decision; readonly bound: number | null }> => {
  const admissible = needsBound(estimate) ? await admissibleFor(decider, request) : {}
  const bound = outputBoundOf(estimate, request.model, admissible)
  const wanted = decisionRequest(request, estimatedCost(request, estimate, bound))
  const decision = decider.decideAtOnce(wanted) ?? (await decider.decide(wanted))
  unpriced(request.model, decision)
  return { decision, bound }
}

const estimatedCost = (request: RoutedRequest, estimate: PromptEstimate, bound: number | null): Cost =>
  costOf(request, { inputTokens: estimate.inputTokens, outputTokens: reservedOutput(estimate, bound) })

const decisionRequest = ({ acting, model, user }: RoutedRequest, cost: Cost): DecisionRequest => {
  const wanted: { -readonly [K in keyof DecisionRequest]: DecisionRequest[K] } = {
    entityId: acting.entityId,
    resource: model.id,
    cost,
    settles: true,
  }
  if (user !== undefined) wanted.user = user
  return wanted
}

/** The cost per meter; without prices, it has none in money. Counting tokens costs a request and no tokens. */
const costOf = (
  { api, model: { prices } }: Pick<RoutedRequest, 'api' | 'model'>,
  usage: ModelUsage,
): Cost => {
  if (api === 'count_tokens') return ONE_REQUEST
  const cost: { -readonly [M in keyof Cost]: Cost[M] } = {
    requests: 1,
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    tokens: usage.inputTokens + usage.outputTokens,
  }
  if (prices !== null) {
    cost.cost_usd_micros = priceOf(prices, {
      input: usage.inputTokens,
      output: usage.outputTokens,
      cachedInput: usage.cachedInputTokens ?? 0,
      cacheWrite: usage.cacheWriteTokens ?? 0,
    })
  }
  return cost
}

const ONE_REQUEST: Cost = { requests: 1 }

const NO_TOKENS: ModelUsage = { inputTokens: 0, outputTokens: 0 }

const limitHeaders = (
  { clock, settings }: ModelCallNeeds,
  { api, requestId }: RoutedRequest,
  decision: Decision,
): Headers => {
  if (!isAnthropic(api)) return modelRouteHeaders(decision, clock.now(), settings.maxRetrySeconds)
  const headers = messagesHeaders(decision, clock.now(), settings.maxRetrySeconds)
  headers['request-id'] = requestId
  return headers
}

const denialReply = (needs: ModelCallNeeds, request: RoutedRequest, denied: Denied): Reply => {
  const { acting, model, api, requestId } = request
  const subject = { model: model.id, organization: acting.organization, requestId }
  const format = formatOf(api, needs.settings.errorFormat)
  return modelDenialResponse(denied, subject, limitHeaders(needs, request, denied), format)
}

const callOf = (request: RoutedRequest, { inputTokens }: PromptEstimate, bound: number | null): ModelCall =>
  new Call(request, inputTokens, bound)

/** A class, because creating an object with a getter and a closure takes as long as the whole decision. */
class Call implements ModelCall {
  readonly api: ModelApi
  readonly model: Model
  readonly body: JsonObject
  readonly entityId: string
  readonly inputTokens: number
  readonly outputBound: number | null
  readonly requestId: string
  readonly headers: Readonly<Record<string, string>>
  readonly #createSignal: () => AbortSignalLike
  #signal: AbortSignalLike | undefined

  constructor(request: RoutedRequest, inputTokens: number, outputBound: number | null) {
    this.api = request.api
    this.model = request.model
    this.body = request.body
    this.entityId = request.acting.entityId
    this.inputTokens = inputTokens
    this.outputBound = outputBound
    this.requestId = request.requestId
    this.headers = passedHeaders(request.header)
    this.#createSignal = request.signal
  }

  get signal(): AbortSignalLike {
    this.#signal ??= this.#createSignal()
    return this.#signal
  }
}

/** An allowed request: its rate-limit headers, its reservation, and the call to make. */
interface Reserved {
  readonly headers: Headers
  readonly reservation: Reservation
  readonly call: ModelCall
}

/**
 * The charge stays as reserved. A model generates its whole response, and its provider bills it, whether or not the caller
 * waits. If disconnecting refunded the estimate, no limit would apply to callers who never wait.
 */
const THE_ESTIMATE: Cost = {}

const forward = async (needs: ModelCallNeeds, request: RoutedRequest, reserved: Reserved): Promise<Reply> => {
  const { reservation, headers, call } = reserved
  const settle = async (charge: ModelCharge): Promise<void> => {
    await settleBy(reservation, request, charge)
    if (call.api === 'responses' && charge.of === 'usage')
      await keepResponse(needs, call.entityId, call.body, charge.usage)
  }
  let reply: ModelReply
  try {
    reply = await needs.backend.call(call)
  } catch (error) {
    await settle(error instanceof CallAborted ? error.charge : NOTHING)
    if (error instanceof CallAborted) return undefined
    throw error
  }
  if (reply.kind === 'stream') {
    addAll(headers, SSE_HEADERS)
    addAll(headers, reply.headers)
    return { status: reply.status, headers, chunks: settledChunks(reply.events, settle) }
  }
  await settle(reply.charge)
  const { errorFormat, maxRetrySeconds } = needs.settings
  if (reply.kind === 'whole') {
    // an error has no rate-limit headers, as they would describe the limits with the charge
    if (reply.status >= 400)
      return {
        status: reply.status,
        headers: errorHeaders(reply.headers, maxRetrySeconds),
        bytes: reply.body,
      }
    addAll(headers, reply.headers)
    return { status: reply.status, headers, bytes: reply.body }
  }
  const format = formatOf(call.api, errorFormat)
  const body = modelProblemBody(reply.problem, format, call)
  return { status: reply.problem.status, headers: errorHeaders(reply.headers, maxRetrySeconds), body }
}

/** In place: V8 spreads 20 headers in 12 µs, and adds a few in 1. */
const addAll = (headers: Headers, more: Readonly<Headers>): void => {
  for (const name in more) headers[name] = more[name] ?? ''
}

const NOTHING: ModelCharge = { of: 'nothing' }

const settleBy = (reservation: Reservation, request: RoutedRequest, charge: ModelCharge): Promise<void> => {
  if (charge.of === 'nothing') return reservation.release()
  if (charge.of === 'estimate') return reservation.settle(THE_ESTIMATE)
  return reservation.settle(costOf(request, charge.of === 'usage' ? charge.usage : NO_TOKENS))
}

const SSE_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  // proxies that buffer would delay the events
  'x-accel-buffering': 'no',
}

/** The chunks of a stream, settled once, before the last one is sent or when the reader disconnects. */
const settledChunks = (events: ModelEvents, settle: (charge: ModelCharge) => Promise<void>): ChunkReader => {
  let settled: Promise<void> | undefined
  const settleOnce = (): Promise<void> => {
    settled ??= events.charge().then(settle)
    return settled
  }
  return {
    async next() {
      const chunk = await events.next()
      if (chunk === undefined || events.hasEnded()) await settleOnce()
      return chunk
    },
    hasEnded: () => events.hasEnded(),
    cancel() {
      events.cancel()
      return settleOnce()
    },
  }
}
