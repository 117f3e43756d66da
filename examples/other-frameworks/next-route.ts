import { rateLimitHeaders, rejection } from 'zael'
import { createLimiter, type LimitedAppOptions } from './limits.ts'

/** A route handler of Next.js (`app/api/hello/route.ts`): a function of a request of the Web's. */
type RouteHandler = (request: Request) => Promise<Response>

/** Limits each API key. In `route.ts`: `export const { GET } = createRoute()`. */
export const createRoute = (options: LimitedAppOptions = {}): { readonly GET: RouteHandler } => {
  const limiter = createLimiter(options)
  const GET: RouteHandler = async (request) => {
    const key = request.headers.get('x-api-key')
    // an app looks keys up, so that nobody gets a new limit by inventing one
    if (key === null) return Response.json({ error: 'unauthorized' }, { status: 401 })
    const decision = await limiter.check(key)
    const rejected = rejection(decision)
    if (rejected) return Response.json(rejected.body, rejected)
    return Response.json({ hello: 'next' }, { headers: rateLimitHeaders(decision) })
  }
  return { GET }
}
