import { boundedJson } from '../middleware/bounded-json.ts'
import type { RateLimitOptions } from '../middleware/rate-limit-options.ts'
import type { ResponseFacts } from '../requests/costs.ts'
import { FAILED } from './http-results.ts'
import { createInvocations } from './invocations.ts'

/** The context of a request in Powertools' event handler, as far as it is read and changed. */
interface RouterContext {
  readonly event: unknown
  res: Response
}

/** A middleware of Powertools' event handler, for `app.use()` or for a route. */
export type PowertoolsRateLimit = <Returned>(args: {
  readonly reqCtx: RouterContext
  readonly next: () => Promise<Returned>
}) => Promise<Response | undefined>

/**
 * Limits the requests of a `Router` of Powertools' event handler (`@aws-lambda-powertools/event-handler/http`), as `withRateLimit` does;
 * `native` is the event. A streamed response is settled when its handler has returned.
 *
 * @example
 * app.use(powertoolsRateLimit({ store, limits, key: byClaim('sub') }))
 */
export function powertoolsRateLimit<Event = unknown>(options: RateLimitOptions<Event>): PowertoolsRateLimit
export function powertoolsRateLimit(options: RateLimitOptions<unknown>): PowertoolsRateLimit {
  const invocations = createInvocations(options)
  return async ({ reqCtx, next }) => {
    const invocation = await invocations.begin(reqCtx.event)
    const headers = invocation.headers()
    const { rejected } = invocation
    if (rejected !== undefined) {
      await invocation.end(FAILED)
      return Response.json(rejected.body, { status: rejected.status, headers })
    }
    let facts = FAILED
    // before the handler as well, for the response to an error
    addHeaders(reqCtx.res, headers)
    try {
      await next()
      facts = factsOf(reqCtx.res)
      addHeaders(reqCtx.res, invocation.headers())
    } finally {
      await invocation.end(facts)
    }
    return undefined
  }
}

const addHeaders = ({ headers }: Response, added: Readonly<Record<string, string>>): void => {
  for (const name in added) headers.set(name, added[name] ?? '')
}

const factsOf = (response: Response): ResponseFacts => ({
  status: response.status,
  header: (name) => response.headers.get(name) ?? undefined,
  json: () => boundedJson(response),
})
