import { isFields, kindOf, recordsOf } from './event-fields.ts'
import { addedTo, FAILED, jsonResult, resultFacts, withHeaders } from './http-results.ts'
import type { Invocation } from './invocations.ts'
import { RejectedError } from './rejected-error.ts'
import type { LimitedBatch } from './sqs-batch.ts'
import { createLambdaLimits, type LambdaRateLimitOptions, withRecords } from './with-rate-limit.ts'

/** A request of Middy, as far as it is read and changed. */
interface MiddyRequest {
  // Middy's types of an event, a response and an error are those of the app
  event: unknown
  response: unknown
  error: unknown
}

/** A middleware of Middy. */
export interface MiddyRateLimit {
  before(request: MiddyRequest): Promise<unknown>
  after(request: MiddyRequest): Promise<void>
  onError(request: MiddyRequest): Promise<void>
}

/** What is open between `before` and the end of a request. */
interface Open {
  readonly invocation?: Invocation
  readonly batch?: LimitedBatch
}

/**
 * Limits the invocations of a Middy handler, as `withRateLimit` does. A denied request is an error in Middy, so that the `onError` of every
 * middleware runs, and this one makes the response of it: use middlewares that change responses, such as CORS, before this one. Use those
 * that may respond early before it as well, because Middy calls neither `after` nor `onError` then.
 *
 * @example
 * export const handler = middy(handle).use(httpCors()).use(middyRateLimit({ store, limits, key: byClaim('sub') }))
 */
export function middyRateLimit<Event = unknown>(options: LambdaRateLimitOptions<Event>): MiddyRateLimit
export function middyRateLimit(options: LambdaRateLimitOptions): MiddyRateLimit {
  const limits = createLambdaLimits(options)
  const open = new WeakMap<object, Open>()
  const take = (request: MiddyRequest): Open | undefined => {
    const found = open.get(request)
    open.delete(request)
    return found
  }
  return {
    async before(request) {
      const records = recordsOf(request.event)
      if (records !== undefined) {
        const batch = await limits.beginBatch(records)
        if (batch.allowed.length === 0) return batch.end(undefined)
        request.event = withRecords(request.event, batch.allowed)
        open.set(request, { batch })
        return undefined
      }
      const invocation = await limits.begin(request.event)
      open.set(request, { invocation })
      if (invocation.rejected !== undefined) throw new RejectedError(invocation.rejected)
      return undefined
    },
    async after(request) {
      const { batch, invocation } = take(request) ?? {}
      if (batch !== undefined) request.response = await batch.end(request.response)
      if (invocation === undefined) return
      const facts = resultFacts(request.response)
      request.response = described(request, invocation)
      await invocation.end(facts)
    },
    async onError(request) {
      const { batch, invocation } = take(request) ?? {}
      await batch?.fail()
      if (invocation === undefined) return
      const isHttp = kindOf(request.event) === 'http'
      const { rejected } = invocation
      if (isHttp && rejected !== undefined && request.error instanceof RejectedError)
        request.response = jsonResult(request.event, { ...rejected, headers: invocation.headers() })
      else if (request.response !== undefined) request.response = described(request, invocation)
      await invocation.end(request.response === undefined ? FAILED : resultFacts(request.response))
    },
  }
}

/** The response with the headers. Middlewares that have yet to run may complete one without a status. */
const described = ({ event, response }: MiddyRequest, invocation: Invocation): unknown => {
  if (kindOf(event) !== 'http') return response
  const isPart = isFields(response) && ['statusCode', 'headers', 'body'].some((name) => name in response)
  return isPart
    ? addedTo(event, response, invocation.headers())
    : withHeaders(event, response, invocation.headers())
}
