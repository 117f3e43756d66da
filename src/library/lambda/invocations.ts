import type { Logger } from '../../core/ports/platform.ts'
import { createRequestLimiter, type EarlyResponse, type RequestOutcome } from '../middleware/middleware.ts'
import type { RateLimitOptions } from '../middleware/rate-limit-options.ts'
import {
  describeResponse,
  forgetResponse,
  type HeaderWriter,
  headersOf,
  isDescribed,
} from '../middleware/response-headers.ts'
import type { RequestFacts, ResponseFacts } from '../requests/costs.ts'
import { eventFacts } from './event-facts.ts'
import { byQueueOrSourceIp } from './event-keys.ts'
import { FAILED } from './http-results.ts'

/** An invocation that a limiter has decided about. */
export interface Invocation {
  /** To be sent instead of what the handler returns, which is then not called. */
  readonly rejected?: EarlyResponse
  /** The headers of the response, of all limiters that have decided about this event. */
  headers(): Readonly<Record<string, string>>
  /** To be awaited before the function returns: settles, frees slots, and writes what is pending. Never throws. */
  end(response: ResponseFacts): Promise<void>
}

/** Decides about invocations, where nothing runs between them. */
export interface Invocations<Native> {
  readonly logger: Logger
  /** Rejects with an error of the app's functions; then nothing is charged. */
  begin(event: Native): Promise<Invocation>
  /** Decides about one of several messages; `flush` is to be called once for all of them. */
  check(request: RequestFacts<Native>): Promise<RequestOutcome>
  /** Never throws. */
  flush(): Promise<void>
}

/** Throws `ZaelError('invalid_request')` whose `field` names the unknown or invalid option. */
export const createInvocations = <Native>(options: RateLimitOptions<Native>): Invocations<Native> => {
  const limiter = createRequestLimiter(
    { ...options, key: options.key ?? byQueueOrSourceIp() },
    { runsBetweenRequests: false },
  )
  const { logger } = limiter
  return {
    logger,
    check: limiter.check,
    flush: limiter.flush,
    async begin(event) {
      const outcome = await limiter.check(eventFacts(event, logger))
      const described = describe(event, outcome)
      const end = async (response: ResponseFacts): Promise<void> => {
        if (outcome.earlyResponse === undefined) await outcome.finish?.(response)
        await outcome.end?.()
        await limiter.flush()
        described.forget()
      }
      return {
        ...(outcome.earlyResponse && { rejected: outcome.earlyResponse }),
        headers: described.headers,
        end,
      }
    },
  }
}

/** What all limiters of an invocation share is its event. */
const describe = (event: unknown, { limitHeaders }: RequestOutcome) => {
  if (typeof event !== 'object' || event === null || limitHeaders === undefined)
    return { headers: () => limitHeaders?.headers ?? {}, forget() {} }
  const isFirst = !isDescribed(event)
  describeResponse(event, limitHeaders, LATER)
  return {
    headers: () => headersOf(event),
    forget() {
      // a test may pass an event again
      if (isFirst) forgetResponse(event)
    },
  }
}

/** The result, which does not exist yet, gets the headers at the end. */
const LATER: HeaderWriter<object> = { set() {}, remove() {} }

/** Ends an invocation whose handler has thrown. */
export const endFailed = (invocation: Invocation): Promise<void> => invocation.end(FAILED)
