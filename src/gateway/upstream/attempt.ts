import type { JsonObject } from '../../core/model/json.ts'
import {
  CallAborted,
  type FailedModelReply,
  type ModelApi,
  type ModelCall,
  type ModelCharge,
  type ModelProblem,
  type ModelReply,
  type ResponseHeaders,
  type WholeModelReply,
} from '../../core/ports/model-backend.ts'
import type { UpstreamMetrics, UpstreamOutcome } from '../../core/ports/upstreams.ts'
import type { FieldSupport, WireApi } from '../apis/wire-api.ts'
import type { StreamEnd, StreamStart, UpstreamStream } from '../stream/begin-stream.ts'
import type { CountText } from '../stream/stream-charge.ts'
import type { Adaptive } from './adaptive.ts'
import { clientError } from './error-response.ts'
import { type FailureCause, UpstreamFailure, type UpstreamResponse } from './exchange.ts'
import { type FieldMemory, supportAfter } from './field-support.ts'
import { isCompressed, isEventStream, passedResponseHeaders } from './passed-headers.ts'
import type { Target } from './resting.ts'
import { CredentialsUnavailable, type SentRequest, type UpstreamClient } from './upstream-client.ts'
import { credentialsRejected, failureProblem, unavailable } from './upstream-problems.ts'
import {
  BodyTooLarge,
  chargeOf,
  errorInstead,
  MAX_BODY_BYTES,
  parseResponse,
  readBody,
  readErrorBody,
  textOf,
} from './whole-response.ts'

/** Why an upstream did not answer. */
export interface AttemptFailure {
  /** The cause of a broken exchange, or what was wrong with the response. */
  readonly cause: string
  readonly status?: number
  /** Nothing was sent: no request can have caused it. */
  readonly isConnection: boolean
  readonly error?: unknown
}

/** The result of one upstream. With `failure`, another upstream may be tried. */
export interface Attempt {
  readonly reply: ModelReply
  readonly failure?: AttemptFailure
}

export interface AttemptNeeds {
  readonly apis: Readonly<Record<ModelApi, WireApi>>
  readonly fields: FieldMemory
  readonly countText: CountText
  readonly metrics: UpstreamMetrics
  readonly adaptive: Pick<Adaptive, 'observe' | 'forget'>
  readonly beginStream: (stream: UpstreamStream) => Promise<StreamStart>
  /** A stream that had begun has ended. */
  readonly onStreamEnd: (end: StreamEnd, target: Target, call: ModelCall) => void
}

/** A request to one upstream. */
interface Asking {
  readonly needs: AttemptNeeds
  readonly client: UpstreamClient
  readonly target: Target
  readonly call: ModelCall
  readonly api: WireApi
  readonly path: string
  /** By `performance.now`. */
  readonly startedMs: number
}

/** How an attempt ended; undefined: its stream has begun, and ends later. */
export const outcomeOf = ({ reply, failure }: Attempt): UpstreamOutcome | undefined => {
  if (failure !== undefined) return outcomeOfFailure(failure.cause, failure.status)
  if (reply.kind === 'stream') return undefined
  const status = reply.kind === 'failed' ? reply.problem.status : reply.status
  return status < 400 ? 'ok' : 'client_error'
}

const TIMEOUTS: ReadonlySet<string> = new Set<FailureCause>([
  'connect_timeout',
  'first_byte',
  'idle',
  'total',
])

const CONNECTIONS: ReadonlySet<string> = new Set<FailureCause | 'credentials' | 'missing'>([
  'connect',
  'reset',
  'credentials',
  'missing',
])

/** `status`: of an upstream's error; undefined: there was no response, or no usable one. */
const outcomeOfFailure = (cause: string, status: number | undefined): UpstreamOutcome => {
  if (TIMEOUTS.has(cause)) return 'timeout'
  if (CONNECTIONS.has(cause)) return 'connection'
  if (status === 429) return 'rate_limited'
  return status === undefined || status >= 500 ? 'server_error' : 'client_error'
}

/** How a stream ended that had begun. */
export const outcomeOfStream = (end: StreamEnd): UpstreamOutcome => {
  if (end.kind === 'left') return 'aborted'
  return end.kind === 'complete' ? 'ok' : outcomeOfFailure(end.failure?.failure ?? '', end.problem.status)
}

/** Asks one upstream. Rejects only with `CallAborted`. Undefined: its kind has no such route. */
export const attempt = (
  needs: AttemptNeeds,
  client: UpstreamClient,
  target: Target,
  call: ModelCall,
): Promise<Attempt> | undefined => {
  const api = needs.apis[call.api]
  const path = api.paths[client.upstream.kind]
  if (path === undefined) return undefined
  const asking: Asking = { needs, client, target, call, api, path, startedMs: performance.now() }
  return ask(asking).then(
    (result) => withRefusalIn(asking, result),
    (error: unknown) => brokenAttempt(asking, error),
  )
}

/** A 429 that only the body states is observed as well. */
const withRefusalIn = (asking: Asking, result: Attempt): Attempt => {
  const { failure } = result
  if (failure?.status === 429 && failure.cause !== refusedWith(429)) observe(asking, 429, NO_HEADERS)
  return result
}

/** Asks again without fields that the upstream refuses, although only zael had added them. */
const ask = async (asking: Asking, accepts = asking.needs.fields.of(asking.target)): Promise<Attempt> => {
  const { needs, target, call, path } = asking
  const body = bodyOf(asking, accepts)
  const sent = await asking.client.send(
    { path, model: target.model, body, isStream: call.body.stream === true },
    call,
  )
  needs.metrics.responded(target, secondsSince(asking))
  const { status, headers } = sent.response
  observe(asking, status, headers)
  if (status >= 200 && status < 300) {
    if (accepts !== needs.fields.of(target)) needs.fields.remember(target, accepts)
    return succeeded(asking, sent)
  }
  const error = await readErrorBody(sent.response)
  const text = isCompressed(headers) ? '' : textOf(error)
  const fewer = supportAfter({ status, text }, accepts, call.body)
  const isRefused = fewer === undefined || bodyOf(asking, fewer) === body
  return isRefused ? refused(asking, sent, { error, text }) : ask(asking, fewer)
}

const observe = ({ needs, client, target, call }: Asking, status: number, headers: ResponseHeaders): void => {
  const { adaptive } = client.upstream
  if (adaptive === null) needs.adaptive.forget(target)
  else needs.adaptive.observe(target, { entityId: call.entityId, status, headers, floor: adaptive.floor })
}

const secondsSince = ({ startedMs }: Asking): number => (performance.now() - startedMs) / 1000

const bodyOf = ({ api, target, call }: Asking, accepts: FieldSupport): string =>
  JSON.stringify(api.upstreamBody(call.body, { model: target.model, outputBound: call.outputBound, accepts }))

const succeeded = (asking: Asking, sent: SentRequest): Promise<Attempt> => {
  const { response } = sent
  if (isCompressed(response.headers)) {
    response.cancel()
    const { upstream } = asking.target
    const message = `The upstream ${upstream} sent a compressed response, which zael does not accept`
    return Promise.resolve(unusable(unavailable(message), 'compressed', ESTIMATE))
  }
  return isEventStream(response.headers) ? streamed(asking, sent) : whole(asking, sent)
}

/** Of a reply that is no answer. */
type PlainCharge = Exclude<ModelCharge, { readonly of: 'usage' }>

const NOTHING: PlainCharge = { of: 'nothing' }

const REQUEST: PlainCharge = { of: 'request' }

const ESTIMATE: PlainCharge = { of: 'estimate' }

const failedReply = (problem: ModelProblem, charge: ModelCharge): FailedModelReply => ({
  kind: 'failed',
  problem,
  headers: {},
  charge,
})

const unusable = (problem: ModelProblem, cause: string, charge: ModelCharge = NOTHING): Attempt => ({
  reply: failedReply(problem, charge),
  failure: { cause, isConnection: false },
})

const streamed = async (asking: Asking, { response, key }: SentRequest): Promise<Attempt> => {
  const { needs, api, call, target } = asking
  const start = await needs.beginStream({
    response,
    reader: api.createStreamReader(call.body),
    api: call.api,
    requestId: call.requestId,
    inputTokens: call.inputTokens,
    problemOf: ({ failure }) => failureProblem(target.upstream, failure),
    onEnd: (end) => needs.onStreamEnd(end, target, call),
  })
  const headers = passedResponseHeaders(response.headers, start.kind === 'failed')
  if (start.kind === 'begun') {
    needs.metrics.began(target, secondsSince(asking))
    return { reply: { kind: 'stream', status: response.status, headers, events: start.events } }
  }
  const { failure, charge } = start
  if (failure?.failure === 'aborted') throw new CallAborted(charge)
  const problem = concealed(start.problem, target.upstream, key)
  return withStatus({ kind: 'failed', problem, headers, charge }, failure?.failure ?? 'error event')
}

/** An error that concerns zael's own key, which the client cannot change, or contains it. */
const concealed = (problem: ModelProblem, upstream: string, key: string | undefined): ModelProblem => {
  const isLeak = key !== undefined && problem.message.includes(key)
  return problem.status === 401 || isLeak ? credentialsRejected(upstream) : problem
}

/** 429 and 5xx are failures, also of a status that the body names. */
const withStatus = (reply: WholeModelReply | FailedModelReply, cause: string): Attempt => {
  const status = reply.kind === 'failed' ? reply.problem.status : reply.status
  return status === 429 || status >= 500
    ? { reply, failure: { cause, status, isConnection: false } }
    : { reply }
}

const whole = async (asking: Asking, { response, key }: SentRequest): Promise<Attempt> => {
  const { needs, api, call, target } = asking
  const body = await readBody(response)
  const parsed = parseResponse(api, body)
  if (parsed === undefined) {
    return unusable(
      unavailable(`The upstream ${target.upstream} sent a response that is not JSON`),
      'not JSON',
    )
  }
  const problem = errorInstead(parsed)
  if (problem !== undefined) {
    const shown = concealed(problem, target.upstream, key)
    const headers = passedResponseHeaders(response.headers, true)
    return withStatus({ kind: 'failed', problem: shown, headers, charge: NOTHING }, 'error in a response')
  }
  const headers = withType(response, false)
  const charge = await chargeOf(api, call, parsed, needs.countText)
  return { reply: { kind: 'whole', status: response.status, headers, body, charge } }
}

const withType = (response: UpstreamResponse, isError: boolean): Record<string, string> => {
  const headers = passedResponseHeaders(response.headers, isError)
  headers['content-type'] = 'application/json'
  return headers
}

interface RefusedBody {
  readonly error: Uint8Array
  readonly text: string
}

const refused = (asking: Asking, { response, key }: SentRequest, { error, text }: RefusedBody): Attempt => {
  const { call, target } = asking
  const { status, headers } = response
  if (call.api === 'count_tokens' && COUNTS_NOT.has(status)) return { reply: countedHere(call) }
  const shown = clientError({ upstream: target.upstream, api: call.api, status, headers, text, key })
  const charge = chargeOfError('problem' in shown ? shown.problem.status : status)
  if ('problem' in shown) {
    const passed = passedResponseHeaders(headers, shown.problem.status === status)
    return withStatus(
      { kind: 'failed', problem: shown.problem, headers: passed, charge },
      refusedWith(status),
    )
  }
  const reply: WholeModelReply = {
    kind: 'whole',
    status,
    headers: withType(response, true),
    body: shown.text ?? error,
    charge,
  }
  return withStatus(reply, refusedWith(status))
}

/** The cause of a failure that the status of a response states. */
const refusedWith = (status: number): string => `status ${status}`

const NO_HEADERS: ResponseHeaders = {}

const chargeOfError = (status: number): ModelCharge => (status === 429 || status >= 500 ? NOTHING : REQUEST)

/** Statuses of an upstream without a route to count tokens. */
const COUNTS_NOT = new Set([404, 405, 501])

/** zael's own count of a prompt's tokens. */
export const countedHere = ({ inputTokens }: ModelCall): WholeModelReply => ({
  kind: 'whole',
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ input_tokens: inputTokens } satisfies JsonObject),
  charge: REQUEST,
})

const brokenAttempt = ({ target: { upstream } }: Asking, error: unknown): Attempt => {
  if (error instanceof CredentialsUnavailable) {
    const failure = { cause: 'credentials', isConnection: true, error: error.cause }
    return { reply: failedReply(failureProblem(upstream, undefined), NOTHING), failure }
  }
  if (error instanceof BodyTooLarge) {
    const message = `The upstream ${upstream} sent a response of more than ${MAX_BODY_BYTES} bytes`
    return unusable(unavailable(message), 'too large', ESTIMATE)
  }
  if (!(error instanceof UpstreamFailure)) throw error
  const { failure: cause, wasSent } = error
  const charge = wasSent ? ESTIMATE : NOTHING
  if (cause === 'aborted') throw new CallAborted(charge)
  const failure = { cause, isConnection: !wasSent, ...('cause' in error && { error: error.cause }) }
  return { reply: failedReply(failureProblem(upstream, cause), charge), failure }
}
