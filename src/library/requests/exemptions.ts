import { createHash, timingSafeEqual } from 'node:crypto'
import { invalid } from '../../core/model/errors.ts'
import { checkOptions, type OptionNames } from '../arguments.ts'
import type { RequestFacts } from './costs.ts'

/** Paths that are not limited (`/health`, `/public/*`), or a function that returns true for such requests. */
export type Exemptions<Native = unknown> =
  | readonly string[]
  | ((request: RequestFacts<Native>) => boolean | Promise<boolean>)

/**
 * A path is compared with the whole path of a request, and with the path relative to the router of the middleware: `/health`
 * in a router at `/api` is `/api/health`. Throws `ZaelError('invalid_request')` for a path that cannot match.
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

/** The paths in the form of `plainPath`. */
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

/** Resolves dots: `/public/../api` and `/public/%2e%2e/api` are not below `/public`. */
const plainPath = (path: string): string => {
  try {
    return new URL(`http://any${path}`).pathname
  } catch {
    return ''
  }
}

/** A secret that internal callers send in a header. */
export interface SharedSecret {
  /** Default `x-internal-secret`. */
  readonly header?: string
  /** At least 16 characters; several during a rotation. */
  readonly secret: string | readonly string[]
}

/** Callers that are neither limited nor counted: those with a secret, or those for which a function returns true. */
export type Bypass<Native = unknown> =
  | SharedSecret
  | ((request: RequestFacts<Native>) => boolean | Promise<boolean>)

const SHORTEST_SECRET = 16

/** Throws `ZaelError('invalid_request')` for a secret that is too short. */
export const createBypass = <Native>(
  bypass: Bypass<Native> | undefined,
): ((request: RequestFacts<Native>) => boolean | Promise<boolean>) => {
  if (bypass === undefined) return () => false
  return typeof bypass === 'function' ? bypass : bySecret(bypass)
}

const OPTIONS: OptionNames<SharedSecret> = { header: true, secret: true }

const bySecret = (shared: SharedSecret) => {
  checkOptions<SharedSecret>(shared, OPTIONS, 'bypass')
  const { header = 'x-internal-secret', secret } = shared
  const secrets: readonly unknown[] = Array.isArray(secret) ? secret : [secret]
  if (secrets.length === 0 || !secrets.every(isLongEnough)) {
    throw invalid('bypass.secret', `be at least ${SHORTEST_SECRET} characters long`)
  }
  if (typeof header !== 'string' || header === '') throw invalid('bypass.header', 'be the name of a header')
  const hashes = secrets.map(sha256)
  const name = header.toLowerCase()
  return (request: RequestFacts): boolean => {
    const presented = request.header(name)
    // hashes have one length and are compared in full, so the duration reveals nothing about a secret
    const presentedHash = sha256(presented ?? '')
    return hashes.map((hash) => timingSafeEqual(hash, presentedHash)).includes(true)
  }
}

const isLongEnough = (secret: unknown): secret is string =>
  typeof secret === 'string' && secret.length >= SHORTEST_SECRET

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()
