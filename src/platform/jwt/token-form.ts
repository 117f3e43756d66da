import { ZaelError } from '../../core/model/errors.ts'
import type { JsonObject } from '../../core/model/json.ts'

/** Longer tokens are rejected before anything is decoded: 8 KB. */
export const LONGEST_TOKEN = 8192

/** Three base64url parts; the third is empty in an unsecured JWT, which is recognized, and rejected. */
const THREE_PARTS = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]*$/

/** A rejected token. `why` completes "The token is not valid: …". */
export const invalidToken = (why: string): ZaelError =>
  new ZaelError('unauthorized', `The token is not valid: ${why}`)

/** The last header that was decoded: most tokens of a process have the same, and to decode one takes half of a look-up. */
let last = { header: '', hasAlgorithm: false }

/** Whether a Bearer token is a JWT: three base64url parts, of which the first decodes to an object with `alg`. */
export const isToken = (token: string): boolean => {
  if (!THREE_PARTS.test(token)) return false
  const header = token.slice(0, token.indexOf('.'))
  if (header !== last.header) {
    const decoded = jsonIn(header)
    last = { header, hasAlgorithm: isObject(decoded) && Object.hasOwn(decoded, 'alg') }
  }
  return last.hasAlgorithm
}

export interface DecodedToken {
  readonly header: JsonObject
  readonly claims: JsonObject
}

/**
 * Decodes a token without verifying it. Throws `unauthorized` if it is too long or no JWT, or if a name is repeated in its
 * header or its claims: readers of the same token could then see different values (RFC 7515 and 7519, section 4).
 */
export const decodeToken = (token: string): DecodedToken => {
  if (token.length > LONGEST_TOKEN) throw invalidToken('it is longer than 8 KB')
  const [, header = '', claims = ''] = THREE_PARTS.exec(token) ?? []
  return { header: objectIn(header, 'its header'), claims: objectIn(claims, 'its payload') }
}

const objectIn = (part: string, what: string): JsonObject => {
  const decoded = jsonIn(part)
  if (!isObject(decoded)) throw invalidToken(`${what} is not an object of JSON`)
  if (repeatsName(textIn(part))) throw invalidToken(`${what} repeats a name`)
  return decoded
}

const jsonIn = (part: string): unknown => {
  try {
    return JSON.parse(textIn(part))
  } catch {
    return undefined
  }
}

/** Throws for bytes that are not UTF-8. */
const textIn = (part: string): string => {
  const bytes = atob(part.replaceAll('-', '+').replaceAll('_', '/'))
  return UTF_8.decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)))
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true })

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Strings, and what changes the depth or separates members. */
const JSON_PARTS = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g

/** Whether an object of valid JSON has two members of one name, at its top level. */
const repeatsName = (json: string): boolean => {
  const names = topLevelNames(json)
  return new Set(names).size < names.length
}

const topLevelNames = (json: string): readonly string[] => {
  const names: string[] = []
  let [depth, last] = [0, '']
  for (const [part] of json.matchAll(JSON_PARTS)) {
    depth += DEPTH_CHANGE[part] ?? 0
    // a name may be written with escapes
    if (part === ':' && depth === 1) names.push(String(JSON.parse(last)))
    last = part
  }
  return names
}

const DEPTH_CHANGE: Readonly<Record<string, number>> = { '{': 1, '[': 1, '}': -1, ']': -1 }
