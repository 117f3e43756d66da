import { invalid } from '../../core/model/errors.ts'
import { changeVisibility as changeVisibilityInSqs } from '../../platform/sqs-visibility.ts'
import { invalidArgument } from '../arguments.ts'
import type { EarlyResponse } from '../middleware/middleware.ts'
import type { RateLimitOptions } from '../middleware/rate-limit-options.ts'
import { isFields, kindOf, recordsOf } from './event-fields.ts'
import { FAILED, type HttpResult, jsonResult, resultFacts, withHeaders } from './http-results.ts'
import { createInvocations, type Invocation, type Invocations } from './invocations.ts'
import type { BatchResponse } from './per-record.ts'
import { RejectedError } from './rejected-error.ts'
import { createBatches, type LimitedBatch } from './sqs-batch.ts'
import type { ChangeVisibility } from './visibility.ts'

/** What functions of a request receive as `native`: the event, or each message of a queue's event. */
export type NativeOf<Event> = Event extends { readonly Records: readonly (infer Message)[] } ? Message : Event

/** How a function is limited: as a middleware, with the event as the request. */
export type LambdaRateLimitOptions<Native = unknown> = RateLimitOptions<Native> & {
  /** How denied messages of a queue are delayed. Default: `ChangeMessageVisibilityBatch` of SQS. */
  readonly changeVisibility?: ChangeVisibility
}

/** What a limited function returns: the handler's result, or the response to a denied request. AppSync gets an error instead. */
export type LimitedResult<Event, Result> = Event extends { readonly Records: readonly unknown[] }
  ? BatchResponse
  : Event extends { readonly info: { readonly fieldName: string } }
    ? Exclude<Result, Void>
    : Exclude<Result, Void> | HttpResult

/** A handler that returns a promise. The callback is in the types alone, so that handlers typed with it are accepted: calling it is an error. */
export type LambdaHandler<Event, Result, Context> = (
  event: Event,
  context: Context,
  callback: () => never,
) => Result | Promise<Result> | Void

// biome-ignore lint/suspicious/noConfusingVoidType: the types of AWS let every handler return it
type Void = void

/**
 * Limits the invocations of a Lambda function: behind a REST, HTTP or WebSocket API, a function URL, a load balancer, AppSync, or a queue.
 * By default each address that connects, or each queue. Everything is written before it returns. Throws
 * `ZaelError('invalid_request')` whose `field` names the unknown or invalid option.
 *
 * A denied request gets a 429 with the time to wait; AppSync, and what invokes the function directly, gets a `RejectedError`; a denied
 * message goes back to the queue, hidden until it can pass.
 *
 * @example
 * export const handler = withRateLimit({ store, limits, key: byClaim('sub') }, async (event) => ({ statusCode: 200, body: 'hello' }))
 */
export function withRateLimit<Event, Result, Context = unknown>(
  options: LambdaRateLimitOptions<NativeOf<Event>>,
  handler: LambdaHandler<Event, Result, Context>,
): (event: Event, context: Context) => Promise<LimitedResult<Event, Result>>
/** The types of the events and results are those of the caller: nothing is read of them that is not checked. */
export function withRateLimit(
  options: LambdaRateLimitOptions,
  handler: LambdaHandler<unknown, unknown, unknown>,
): (event: unknown, context: unknown) => Promise<unknown> {
  if (typeof handler !== 'function') throw invalidArgument('handler', 'be the function of the Lambda')
  const limits = createLambdaLimits(options)
  return async (event, context) => {
    const records = recordsOf(event)
    if (records !== undefined) {
      const batch = await limits.beginBatch(records)
      return handleBatch(batch, () => handler(withRecords(event, batch.allowed), context, noCallback))
    }
    const invocation = await limits.begin(event)
    return respond(event, invocation, () => handler(event, context, noCallback))
  }
}

/** What decides about the events of a function. */
export interface LambdaLimits extends Pick<Invocations<unknown>, 'begin'> {
  beginBatch(records: readonly unknown[]): Promise<LimitedBatch>
}

/** Throws `ZaelError('invalid_request')` whose `field` names the unknown or invalid option. */
export const createLambdaLimits = (options: LambdaRateLimitOptions): LambdaLimits => {
  if (typeof options !== 'object' || options === null) throw invalid('options', 'be an object')
  const { changeVisibility = changeVisibilityInSqs, ...others } = options
  if (typeof changeVisibility !== 'function') throw invalid('changeVisibility', 'be a function')
  const invocations = createInvocations(others)
  return { begin: invocations.begin, beginBatch: createBatches(invocations, changeVisibility) }
}

const noCallback = (): never => {
  throw new TypeError('the handler must return a promise instead of calling back')
}

const respond = async (event: unknown, invocation: Invocation, handle: () => unknown): Promise<unknown> => {
  const { rejected } = invocation
  if (rejected !== undefined) return reject(event, invocation, rejected)
  let facts = FAILED
  try {
    const result = await handle()
    facts = resultFacts(result)
    return kindOf(event) === 'http' ? withHeaders(event, result, invocation.headers()) : result
  } finally {
    await invocation.end(facts)
  }
}

const reject = async (event: unknown, invocation: Invocation, rejected: EarlyResponse): Promise<unknown> => {
  const headers = invocation.headers()
  await invocation.end(FAILED)
  if (kindOf(event) !== 'http') throw new RejectedError(rejected)
  return jsonResult(event, { ...rejected, headers })
}

/** Does not call the handler if every message was denied. */
const handleBatch = async (batch: LimitedBatch, handle: () => unknown): Promise<BatchResponse> => {
  if (batch.allowed.length === 0) return batch.end(undefined)
  let result: unknown
  try {
    result = await handle()
  } catch (error) {
    await batch.fail()
    throw error
  }
  return batch.end(result)
}

export const withRecords = (event: unknown, records: readonly unknown[]): unknown =>
  isFields(event) ? { ...event, Records: records } : event
