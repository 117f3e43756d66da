import { createHash, timingSafeEqual } from 'node:crypto'
import { invalid } from '../../core/model/errors.ts'
import { checkOptions, type OptionNames } from '../arguments/known-options.ts'
import type { RequestFacts } from './request-facts.ts'

/** A secret that callers of one's own send in a header. */
export interface SharedSecret {
  /** Default `x-internal-secret`. */
  readonly header?: string
  /** At least 16 characters; several while one is being replaced. */
  readonly secret: string | readonly string[]
}

/** Who is neither limited nor counted: a function that says so, or whoever knows a secret. */
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
    const shown = request.header(name)
    // Hashes have one length and are compared in full, so the time that it takes tells nothing of a secret.
    const shownHash = sha256(shown ?? '')
    return hashes.map((hash) => timingSafeEqual(hash, shownHash)).includes(true)
  }
}

const isLongEnough = (secret: unknown): secret is string =>
  typeof secret === 'string' && secret.length >= SHORTEST_SECRET

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()
