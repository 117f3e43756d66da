import type { Hono } from 'hono'
import type { AppEnv } from '../app-dependencies.ts'
import { METHODS } from '../errors/error-response.ts'
import type { Guards } from './guards.ts'

/**
 * `open`: anyone. `callers`: a key, or an admin that names the entity to act for. `admins`: the admin token, or the viewer
 * token for reads.
 */
export type Access = 'open' | keyof Guards

/** The access rule of each path. `/*` at the end matches the path itself and every path below it, including unknown ones. */
export const ACCESS: Readonly<Record<string, Access>> = {
  '/v1/*': 'callers',
  '/api/*': 'admins',
  '/rate-limit/*': 'admins',
  '/metrics': 'admins',
  '/health': 'open',
  '/healthz': 'open',
  '/': 'open',
  '/docs/*': 'open',
  '/redoc/*': 'open',
  '/openapi.json': 'open',
  '/dashboard/*': 'open',
}

/** `/v1` and `/v1/` for `/v1/*`. */
const SUBTREES = Object.entries(ACCESS).flatMap(([pattern, access]) =>
  pattern.endsWith('/*') ? [{ root: pattern.slice(0, -2), below: pattern.slice(0, -1), access }] : [],
)
const EXACT: ReadonlyMap<string, Access> = new Map(
  Object.entries(ACCESS).filter(([pattern]) => !pattern.endsWith('/*')),
)

const subtreeAccess = (path: string): Access | undefined =>
  SUBTREES.find(({ root, below }) => path.startsWith(below) || path === root)?.access

/** The access rule of a path; undefined if the table does not contain it. */
export const accessTo = (path: string): Access | undefined => subtreeAccess(path) ?? EXACT.get(path)

/**
 * Closed by default: a route that is not in the table requires the admin token. Only a path without any route passes
 * unauthenticated, to its 404. Call it after all other middleware and before the first route.
 */
export const useAccess = (app: Hono<AppEnv>, guards: Guards): void => {
  app.use((c, next) => {
    const { method, path } = c.req
    const below = subtreeAccess(path)
    const access = below ?? EXACT.get(path) ?? 'admins'
    if (access === 'open') return next()
    if (below === undefined && !isRouted(method, path)) return next()
    return guards[access](c, next)
  })
  const middleware = new Set(app.routes)
  /** Whether the path has a route, for this method or another. */
  const isRouted = (method: string, path: string): boolean =>
    [method, ...METHODS].some((each) =>
      app.router.match(each, path)[0].some(([[, route]]) => !middleware.has(route)),
    )
}
