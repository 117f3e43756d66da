import type { Context, ErrorHandler, Hono, NotFoundHandler } from 'hono'
import { StoreUnavailable, shortened, ZaelError } from '../../core/model/errors.ts'
import { createOnceAMinute } from '../../core/ports/once-a-minute.ts'
import type { AppDependencies, AppEnv, HttpSettings } from '../app-dependencies.ts'
import { respondJson } from '../response.ts'
import { v1Error } from './openai-error.ts'
import {
  CLIENT_CLOSED_REQUEST,
  ClientDisconnected,
  flatError,
  MethodNotAllowed,
  type Problem,
  problemOf,
} from './problem.ts'

interface Needs extends Pick<AppDependencies, 'logger' | 'clock'> {
  readonly settings: Pick<HttpSettings, 'errorFormat'>
}

export const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/**
 * Converts an error into a response in the format of its path. Defects are logged, never returned; requests that fail because
 * of the store are counted, and logged in one line per minute.
 */
export const createErrorHandler = ({ logger, clock, settings }: Needs): ErrorHandler<AppEnv> => {
  const unavailable = createOnceAMinute(clock)
  return (error, c) => {
    if (error instanceof ClientDisconnected) return unsent(logger, c)
    const problem = problemOf(error)
    if (error instanceof StoreUnavailable) {
      unavailable((count) =>
        logger.warn('requests failed without the store', { count, reason: error.reason }),
      )
    } else if (problem.status >= 500) logFault(logger, c, error)
    return respond(c, problem, settings.errorFormat)
  }
}

/** 405 if the path has a route for another method, else 404. */
export const createNotFoundHandler =
  (app: Hono<AppEnv>, { settings }: Needs): NotFoundHandler<AppEnv> =>
  (c) => {
    const allow = METHODS.filter((method) => hasRoute(app, method, c.req.path))
    const error =
      allow.length > 0
        ? new MethodNotAllowed(c.req.method, allow)
        : new ZaelError('not_found', `There is nothing at ${shortened(c.req.path)}`)
    return respond(c, problemOf(error), settings.errorFormat)
  }

const respond = (c: Context<AppEnv>, problem: Problem, format: 'openai' | 'flat'): Response => {
  const body = isV1(c.req.path) ? v1Error(problem, format) : flatError(problem)
  return respondJson(c.get('responseContext'), body, problem.status, { ...problem.headers })
}

const unsent = (logger: AppDependencies['logger'], c: Context<AppEnv>): Response => {
  const { method, path } = c.req
  logger.debug('client disconnected before the end of its body', {
    requestId: c.get('requestId'),
    method,
    path,
  })
  return new Response(null, { status: CLIENT_CLOSED_REQUEST })
}

const isV1 = (path: string): boolean => path === '/v1' || path.startsWith('/v1/')

/** Middleware is registered for all methods, a route for its own. */
const hasRoute = (app: Hono<AppEnv>, method: string, path: string): boolean =>
  app.router.match(method, path)[0].some(([[, route]]) => route.method === method)

const logFault = (logger: AppDependencies['logger'], c: Context<AppEnv>, error: Error): void =>
  logger.error('request failed', {
    requestId: c.get('requestId'),
    method: c.req.method,
    path: c.req.path,
    error: error.message,
    stack: error.stack,
    cause: error.cause instanceof Error ? error.cause.message : undefined,
  })
