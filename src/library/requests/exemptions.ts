import { invalid } from '../../core/errors.ts'
import type { RequestFacts } from './request-facts.ts'

/** Paths that are not limited (`/health`, `/public/*`), or a function that says so. */
export type Exemptions<Native = unknown> =
  | readonly string[]
  | ((request: RequestFacts<Native>) => boolean | Promise<boolean>)

/** Throws `ZaelError('invalid_request')` for a path that could match nothing. */
export const createExemption = <Native>(
  exempt: Exemptions<Native> = [],
): ((request: RequestFacts<Native>) => boolean | Promise<boolean>) => {
  if (typeof exempt === 'function') return exempt
  const wrong = exempt.findIndex((path) => !/^\/[^*]*(\/\*)?$/.test(path) && path !== '/*')
  if (wrong >= 0) throw invalid(`exempt[${wrong}]`, 'be a path such as /health or /public/*')
  return ({ path }) => exempt.some((pattern) => matches(pattern, plainPath(path)))
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
