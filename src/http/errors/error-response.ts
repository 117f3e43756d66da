import type { ErrorHandler, Hono, NotFoundHandler } from 'hono'
import { StoreUnavailable, shortened, ZaelError } from '../../core/model/errors.ts'
import { createOnceAMinute } from '../../core/ports/once-a-minute.ts'
import type { AppDependencies, AppEnv, HttpSettings } from '../app-dependencies.ts'
import type { FailedRequest } from '../hot-route.ts'
import { type JsonReply, type Reply, respond } from '../response.ts'
import { ClientDisconnected, MethodNotAllowed, type Problem, problemOf } from './problem.ts'
import { errorBody, formatAt } from './wire-format.ts'

interface Needs extends Pick<AppDependencies, 'logger' | 'clock'> {
  readonly settings: Pick<HttpSettings, 'errorFormat'>
}

export const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** Converts the error of a request into a reply. */
export type ReplyToError = (error: unknown, request: FailedRequest) => Reply

/**
 * Replies in the format of the path. Defects are logged, never returned; requests that fail because of the store are counted,
 * and logged in one line per minute.
 */
export const createErrorReplies = ({ logger, clock, settings }: Needs): ReplyToError => {
  const unavailable = createOnceAMinute(clock)
  return (error, request) => {
    if (error instanceof ClientDisconnected) {
      logger.debug('client disconnected before the end of its body', { ...request })
      return undefined
    }
    const problem = problemOf(error)
    if (error instanceof StoreUnavailable) {
      unavailable((count) =>
        logger.warn('requests failed without the store', { count, reason: error.reason }),
      )
    } else if (problem.status >= 500) logFault(logger, request, error)
    return problemReply(problem, request, settings.errorFormat)
  }
}

export const createErrorHandler =
  (needs: Needs, replyTo: ReplyToError = createErrorReplies(needs)): ErrorHandler<AppEnv> =>
  (error, c) =>
    respond(
      c.get('responseContext'),
      replyTo(error, { requestId: c.get('requestId'), method: c.req.method, path: c.req.path }),
    )

/** 405 if the path has a route for another method, else 404. */
export const createNotFoundHandler =
  (app: Hono<AppEnv>, { settings }: Needs): NotFoundHandler<AppEnv> =>
  (c) => {
    const allow = METHODS.filter((method) => hasRoute(app, method, c.req.path))
    const error =
      allow.length > 0
        ? new MethodNotAllowed(c.req.method, allow)
        : new ZaelError('not_found', `There is nothing at ${shortened(c.req.path)}`)
    const request = { path: c.req.path, requestId: c.get('requestId') }
    const reply = problemReply(problemOf(error), request, settings.errorFormat)
    return respond(c.get('responseContext'), reply)
  }

const problemReply = (
  problem: Problem,
  { path, requestId }: Pick<FailedRequest, 'path' | 'requestId'>,
  errorFormat: HttpSettings['errorFormat'],
): JsonReply => {
  const format = formatAt(path, errorFormat)
  const headers = { ...problem.headers, ...(format === 'anthropic' && { 'request-id': requestId }) }
  return { status: problem.status, headers, body: errorBody(problem, format, requestId) }
}

/** Middleware is registered for all methods, a route for its own. */
const hasRoute = (app: Hono<AppEnv>, method: string, path: string): boolean =>
  app.router.match(method, path)[0].some(([[, route]]) => route.method === method)

const logFault = (logger: AppDependencies['logger'], request: FailedRequest, error: unknown): void => {
  const { message, stack, cause } = error instanceof Error ? error : new Error(String(error))
  logger.error('request failed', {
    ...request,
    error: message,
    stack,
    cause: cause instanceof Error ? cause.message : undefined,
  })
}
