import type { Model } from '../core/model/model.ts'
import { DEFAULT_UPSTREAM } from '../core/model/upstream.ts'
import {
  CallAborted,
  type FailedModelReply,
  type LongPrompt,
  type ModelApi,
  type ModelBackend,
  type ModelCall,
  type ModelCharge,
  type ModelProblem,
  type ModelReply,
  type ModelRequest,
  type PromptEstimate,
} from '../core/ports/model-backend.ts'
import type { CacheFactory, Clock, Logger } from '../core/ports/platform.ts'
import type {
  UpstreamMetrics,
  UpstreamReader,
  UpstreamState,
  UpstreamStates,
} from '../core/ports/upstreams.ts'
import { type Eventual, whenReady } from '../core/ports/when-ready.ts'
import { wireApis } from './apis/wire-apis.ts'
import { beginStream, type StreamEnd, type StreamSettings } from './stream/begin-stream.ts'
import { type Adaptive, createAdaptive } from './upstream/adaptive.ts'
import {
  type Attempt,
  type AttemptFailure,
  type AttemptNeeds,
  attempt,
  countedHere,
  outcomeOf,
  outcomeOfStream,
} from './upstream/attempt.ts'
import { createFieldMemory } from './upstream/field-support.ts'
import { createResting, type Resting, type Target } from './upstream/resting.ts'
import {
  createUpstreamClients,
  type UpstreamClientOptions,
  type UpstreamClients,
} from './upstream/upstream-client.ts'
import { missingUpstream, problem, unavailable } from './upstream/upstream-problems.ts'

/** Answers without an upstream. */
export interface SimulatedModel {
  /** What it generates per choice if no maximum is named. */
  readonly defaultOutputTokens: number
  /** A promise rejects only with `CallAborted`. */
  call(call: ModelCall): Eventual<ModelReply>
}

/** Counts prompts. */
export type PromptCounter = Pick<ModelBackend, 'estimate'>

export interface GatewayParts extends UpstreamClientOptions, StreamSettings {
  readonly upstreams: UpstreamReader
  readonly prompts: PromptCounter
  readonly simulated: SimulatedModel
  readonly clock: Clock
  readonly caches: CacheFactory
  readonly logger: Logger
  readonly metrics: UpstreamMetrics
}

export interface Gateway extends ModelBackend, UpstreamStates {
  /** Ends all calls in progress, and closes all connections. */
  close(): Promise<void>
}

/** Answers requests to models: from the upstreams of each model in their order, or from the simulated model. */
export const createGateway = (parts: GatewayParts): Gateway => {
  const { clock, caches } = parts
  const resting = createResting(clock)
  const adaptive = createAdaptive(clock)
  const clients = createUpstreamClients(parts)
  const asking: Asking = {
    upstreams: parts.upstreams,
    simulated: parts.simulated,
    logger: parts.logger,
    countText: parts.countText,
    apis: wireApis,
    beginStream: (stream) => beginStream(stream, parts),
    resting,
    adaptive,
    clients,
    fields: createFieldMemory(clock, caches),
    metrics: parts.metrics,
    onStreamEnd(end, target, call) {
      parts.metrics.ended(target, outcomeOfStream(end))
      logEnd(parts.logger, end, target, call)
    },
  }
  return {
    estimate: (request) => estimated(parts, request),
    // each request calls it
    paceOf: (model, entityId) =>
      adaptive.isAnyPressed() ? adaptive.paceOf(candidatesOf(model), entityId) : undefined,
    call: (call) => answer(asking, call),
    upstreamStates: () => statesOf(resting, adaptive),
    close: () => clients.close(),
  }
}

const estimated = (parts: GatewayParts, request: ModelRequest): Eventual<PromptEstimate | LongPrompt> => {
  const complete = (estimate: PromptEstimate) => withDefault(parts, request.model, estimate)
  return whenReady(parts.prompts.estimate(request), (prompt) =>
    'least' in prompt
      ? { least: prompt.least, count: async () => complete(await prompt.count()) }
      : complete(prompt),
  )
}

/** The simulated model has a default of its own: nothing must bound what it generates. */
const withDefault = (
  { simulated, upstreams }: GatewayParts,
  model: Model,
  estimate: PromptEstimate,
): Eventual<PromptEstimate> => {
  if (estimate.choices === 0 || estimate.namedOutputTokens !== null) return estimate
  return whenReady(isSimulated(upstreams, model), (is) =>
    is ? { ...estimate, defaultOutputTokens: simulated.defaultOutputTokens } : estimate,
  )
}

const isSimulated = (upstreams: UpstreamReader, model: Model): Eventual<boolean> =>
  whenReady(targetsOf(upstreams, model), (targets) =>
    targets === undefined || targets === SIMULATED ? targets === SIMULATED : areSimulated(upstreams, targets),
  )

const areSimulated = (upstreams: UpstreamReader, [first, ...others]: readonly Target[]): Eventual<boolean> =>
  first === undefined ||
  whenReady(
    upstreams.upstream(first.upstream),
    (upstream) => upstream?.kind === SIMULATED && areSimulated(upstreams, others),
  )

interface Asking extends AttemptNeeds, Pick<GatewayParts, 'upstreams' | 'simulated' | 'logger'> {
  readonly resting: Resting
  readonly clients: UpstreamClients
}

/** The name of the simulated model where no upstream is configured. */
const SIMULATED = 'simulated'

const answer = (asking: Asking, call: ModelCall): Eventual<ModelReply> =>
  whenReady(targetsOf(asking.upstreams, call.model), (targets) => {
    if (targets === SIMULATED)
      return whenReady(asking.simulated.call(call), (reply) => named(reply, SIMULATED))
    if (targets === undefined)
      return failed(unavailable(`No upstream is configured for the model ${call.model.id}`))
    return answerInTurn(asking, call, targets)
  })

/** Asks one upstream after the other. */
const answerInTurn = async (
  asking: Asking,
  call: ModelCall,
  targets: readonly Target[],
): Promise<ModelReply> => {
  let last: ModelReply | undefined
  let charge = NOTHING
  let failedAt: Target | undefined
  for (const target of asking.resting.available(targets)) {
    const result = await attemptAt(asking, target, call, charge)
    if (result === undefined) continue
    if (failedAt !== undefined) asking.metrics.fellBack(failedAt)
    last = named(charged(result.reply, charge), target.upstream)
    if (result.failure === undefined) return last
    failedAt = target
    observe(asking, target, call, result.failure)
    if (last.kind !== 'stream') charge = last.charge
  }
  return last ?? withoutRoute(call, targets)
}

const NOTHING: ModelCharge = { of: 'nothing' }

/** The upstreams that a model names, else the default one, which need not exist. */
const candidatesOf = ({ id, upstreams }: Model): readonly Target[] =>
  upstreams.length > 0
    ? upstreams.map(({ upstream, model }) => ({ upstream, model: model ?? id }))
    : [{ upstream: DEFAULT_UPSTREAM, model: id }]

/** Of targets that have failed, and of those of which less is admitted. */
const statesOf = (resting: Resting, adaptive: Adaptive): readonly UpstreamState[] => {
  const failed = resting.states()
  const pressed = adaptive.factors()
  const isOf = (a: Target) => (b: Target) => a.upstream === b.upstream && a.model === b.model
  return [
    ...failed.map((state) => ({ ...state, factor: pressed.find(isOf(state))?.factor ?? 1 })),
    ...pressed
      .filter((target) => !failed.some(isOf(target)))
      .map((target) => ({ ...target, restsUntil: null, lastFailure: null })),
  ]
}

/** The upstreams of a model; undefined: it names none, and there is no default. */
const targetsOf = (
  upstreams: UpstreamReader,
  model: Model,
): Eventual<readonly Target[] | typeof SIMULATED | undefined> => {
  if (model.upstreams.length > 0) return candidatesOf(model)
  return whenReady(upstreams.upstream(DEFAULT_UPSTREAM), (upstream) =>
    upstream === undefined
      ? whenReady(upstreams.hasUpstreams(), (hasAny) => (hasAny ? undefined : SIMULATED))
      : candidatesOf(model),
  )
}

/** Rejects only with `CallAborted`. Undefined: the upstream has no such route. */
const attemptAt = async (
  asking: Asking,
  target: Target,
  call: ModelCall,
  charge: ModelCharge,
): Promise<Attempt | undefined> => {
  try {
    const result = await attemptOnce(asking, target, call)
    const outcome = result && outcomeOf(result)
    if (outcome !== undefined) asking.metrics.ended(target, outcome)
    return result
  } catch (error) {
    if (!(error instanceof CallAborted)) throw error
    asking.metrics.ended(target, 'aborted')
    asking.logger.debug('caller disconnected', { ...target, requestId: call.requestId })
    throw new CallAborted(larger(charge, error.charge))
  }
}

const attemptOnce = (asking: Asking, target: Target, call: ModelCall): Eventual<Attempt | undefined> =>
  whenReady(asking.upstreams.upstream(target.upstream), (upstream) => {
    if (upstream === undefined) return missing(target)
    if (upstream.kind === SIMULATED)
      return whenReady(asking.simulated.call(call), (reply): Attempt => ({ reply }))
    return attempt(asking, asking.clients.clientOf(upstream), target, call)
  })

const missing = ({ upstream }: Target): Attempt => ({
  reply: failed(missingUpstream(upstream)),
  failure: { cause: 'missing', isConnection: true },
})

const failed = (problem: ModelProblem, charge = NOTHING): FailedModelReply => ({
  kind: 'failed',
  problem,
  headers: {},
  charge,
})

/** Of several requests for one response, the one that cost most is charged, unless the last one has a usage. */
const charged = (reply: ModelReply, before: ModelCharge): ModelReply =>
  reply.kind === 'stream' || before === NOTHING ? reply : { ...reply, charge: larger(before, reply.charge) }

const SIZES = { nothing: 0, request: 1, estimate: 2, usage: 3 } as const

const larger = (a: ModelCharge, b: ModelCharge): ModelCharge => (SIZES[a.of] > SIZES[b.of] ? a : b)

const named = (reply: ModelReply, upstream: string): ModelReply => ({
  ...reply,
  headers: { ...reply.headers, 'x-zael-upstream': upstream },
})

/** Names the route as the client called it. */
const ROUTES: Readonly<Record<ModelApi, string>> = {
  chat: '/v1/chat/completions',
  completions: '/v1/completions',
  embeddings: '/v1/embeddings',
  responses: '/v1/responses',
  messages: '/v1/messages',
  count_tokens: '/v1/messages/count_tokens',
}

const withoutRoute = (call: ModelCall, targets: readonly Target[]): ModelReply => {
  const upstream = targets[0]?.upstream ?? DEFAULT_UPSTREAM
  if (call.api === 'count_tokens') return named(countedHere(call), upstream)
  const message = `The upstream ${upstream} has no route ${ROUTES[call.api]}`
  return named(failed(problem(404, message, 'not_found'), { of: 'request' }), upstream)
}

const observe = (
  { resting, logger, metrics }: Asking,
  target: Target,
  { entityId, requestId }: ModelCall,
  { isConnection, ...failure }: AttemptFailure,
): void => {
  logger.warn('upstream failed', { ...target, ...failure, requestId })
  const rests = resting.failed(target, { cause: failure.cause, entityId: isConnection ? null : entityId })
  if (rests) metrics.rested(target)
}

const logEnd = (logger: Logger, end: StreamEnd, target: Target, { requestId }: ModelCall): void => {
  if (end.kind === 'left') logger.debug('caller disconnected', { ...target, requestId })
  if (end.kind !== 'failed') return
  const { failure, problem } = end
  const cause = failure?.failure ?? 'error event'
  logger.warn('upstream failed', { ...target, cause, status: problem.status, requestId })
}
