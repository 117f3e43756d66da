import type { Context, MiddlewareHandler } from 'hono'
import { connectionAddress } from '../../web/client.ts'
import type { AnswerFacts, RequestFacts } from '../requests/request-facts.ts'
import { boundedJson } from './bounded-json.ts'
import { createGate, type Gate } from './gate.ts'
import { headerChanges, type LimitHeaders } from './nested-limits.ts'
import type { RateLimitOptions } from './rate-limit-options.ts'

/**
 * Limits requests of a Hono app. Throws `ZaelError('invalid_request')` that names the option which is unknown or invalid.
 *
 * @example
 * app.use(rateLimit({ limits: [{ name: 'rps', capacity: 10, refill_rate: 2 }], exempt: ['/health'] }))
 */
export const rateLimit = (options: RateLimitOptions<Context> = {}): MiddlewareHandler => {
  const gate = createGate(options)
  return async (c, next) => {
    const { refusal, limitHeaders, finish } = await gate.admit(requestFacts(c, gate))
    if (refusal !== undefined) {
      const headers = limitHeaders && headerChanges(c, limitHeaders).set
      return c.json(refusal.body, refusal.status, { ...headers })
    }
    await next()
    if (c.res.status !== SWITCHING) setHeaders(c, limitHeaders)
    await finish(answerFacts(c.res))
  }
}

/** An answer that hands the connection over cannot be made anew with other headers. */
const SWITCHING = 101

const setHeaders = (c: Context, limitHeaders: LimitHeaders | undefined): void => {
  if (limitHeaders === undefined) return
  const { remove, set } = headerChanges(c, limitHeaders)
  for (const name of remove) c.header(name, undefined)
  for (const name in set) c.header(name, set[name])
}

const requestFacts = (c: Context, { logger }: Gate<Context>): RequestFacts<Context> => {
  // Of the middleware itself: it changes with the next handler.
  const index = c.req.routeIndex
  return {
    method: c.req.method,
    path: c.req.path,
    get mountedPath() {
      return pathBelow(c.req.matchedRoutes[index]?.basePath, c.req.path)
    },
    connection: connectionAddress(c.env, c.req.raw),
    native: c,
    logger,
    header: (name) => c.req.header(name),
  }
}

/**
 * The path below the one at which a sub-app is mounted (`/:tenant/api`), segment by segment. The whole path where the segments
 * cannot be counted, and with versions of Hono whose routes have no base path.
 */
const pathBelow = (basePath: string | undefined, path: string): string => {
  if (basePath === undefined || /[*{?]/.test(basePath)) return path
  const depth = basePath.split('/').filter(Boolean).length
  return `/${path
    .split('/')
    .slice(depth + 1)
    .join('/')}`
}

const answerFacts = (answer: Response): AnswerFacts => ({
  status: answer.status,
  header: (name) => answer.headers.get(name) ?? undefined,
  json: () => boundedJson(answer),
})
