import { timingSafeEqual } from 'node:crypto'
import type { Context } from 'hono'
import type { Secrets } from '../../core/ports/secrets.ts'

/** What a request shows to say who asks. */
export interface Credential {
  readonly token: string
  /** Admin and viewer tokens come as `Authorization: Bearer` only. */
  readonly isBearer: boolean
}

const LONGEST_TOKEN = 512
const BEARER = /^bearer +(\S+) *$/i

/** X-API-Key, else `Authorization: Bearer`; undefined where there is neither, or nothing that could be one. */
export const credentialOf = (c: Context): Credential | undefined => {
  const apiKey = c.req.header('x-api-key')?.trim()
  const token = apiKey || BEARER.exec(c.req.header('authorization') ?? '')?.[1]
  if (token === undefined || token.length > LONGEST_TOKEN) return undefined
  return { token, isBearer: !apiKey }
}

/** Compares a token with a secret in a time that tells nothing of either. */
export const createTokenCheck = (secrets: Secrets, expected: string): ((token: string) => boolean) => {
  const expectedHash = Buffer.from(secrets.hash(expected))
  return (token) => timingSafeEqual(Buffer.from(secrets.hash(token)), expectedHash)
}
