import { createHash, timingSafeEqual } from 'node:crypto'
import { invalid } from '../../core/errors.ts'
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

const bySecret = ({ header = 'x-internal-secret', secret }: SharedSecret) => {
  const secrets = [secret].flat()
  if (secrets.length === 0 || secrets.some(({ length }) => length < SHORTEST_SECRET)) {
    throw invalid('bypass.secret', `be at least ${SHORTEST_SECRET} characters long`)
  }
  const hashes = secrets.map(sha256)
  const name = header.toLowerCase()
  return (request: RequestFacts): boolean => {
    const shown = request.header(name)
    // Hashes have one length and are compared in full, so the time that it takes tells nothing of a secret.
    const shownHash = sha256(shown ?? '')
    return hashes.map((hash) => timingSafeEqual(hash, shownHash)).includes(true)
  }
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()
