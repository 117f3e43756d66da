import { invalid } from '../../core/model/errors.ts'
import type { RequestFacts } from './request-facts.ts'

/** Paths that are not limited (`/health`, `/public/*`), or a function that says so. */
export type Exemptions<Native = unknown> =
  | readonly string[]
  | ((request: RequestFacts<Native>) => boolean | Promise<boolean>)

/**
 * A path is compared as the client requests it, and as the router routes it that the middleware is mounted on: `/health` in a
 * router at `/api` is `/api/health`. Throws `ZaelError('invalid_request')` for a path that could match nothing.
 */
export const createExemption = <Native>(
  exempt: Exemptions<Native> = [],
): ((request: RequestFacts<Native>) => boolean | Promise<boolean>) => {
  if (typeof exempt === 'function') return exempt
  const patterns = patternsOf(exempt)
  if (patterns.length === 0) return () => false
  const isCovered = (path: string): boolean => {
    const plain = plainPath(path)
    return patterns.some((pattern) => matches(pattern, plain))
  }
  return ({ path, mountedPath }) =>
    isCovered(path) || (mountedPath !== undefined && mountedPath !== path && isCovered(mountedPath))
}

/** The paths as `plainPath` writes those of requests. */
const patternsOf = (exempt: unknown): readonly string[] => {
  if (!Array.isArray(exempt)) throw invalid('exempt', 'be a list of paths, or a function')
  return exempt.map((path: unknown, index) => {
    if (typeof path !== 'string' || (!/^\/[^*]*(\/\*)?$/.test(path) && path !== '/*')) {
      throw invalid(`exempt[${index}]`, 'be a path such as /health or /public/*')
    }
    return plainPath(path)
  })
}

const matches = (pattern: string, path: string): boolean =>
  pattern.endsWith('/*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern

/** `/public/../api` and `/public/%2e%2e/api` are no paths below `/public`. */
const plainPath = (path: string): string => {
  try {
    return new URL(`http://any${path}`).pathname
  } catch {
    return ''
  }
}
