import type { TokenIssuer } from '../../core/model/token-issuer.ts'
import { addressFault } from './address.ts'

/** The keys of an issuer could not be fetched. The message is for the log. */
export class KeysNotFetched extends Error {
  override readonly name = 'KeysNotFetched'
}

/** Longest wait for a response and its body. */
const TIMEOUT_MS = 5000

/** Twenty times the largest key set of the usual issuers. */
const MAX_BYTES = 262_144

/** The response to a request for JSON that the issuer does not have. */
const NOT_FOUND = 404

/** Fetches the text of an issuer's key set. Rejects with `KeysNotFetched`. */
export type FetchKeys = () => Promise<string>

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/**
 * The key set is at the issuer's `jwks_uri`; without one, at the address that its discovery document states (OpenID Connect
 * Discovery 1.0, section 4), or else at `<issuer>/.well-known/jwks.json`. The address is kept while keys can be fetched from it.
 */
export const createKeyFetch = (
  { issuer, jwksUri }: Pick<TokenIssuer, 'issuer' | 'jwksUri'>,
  fetch: Fetch,
): FetchKeys => {
  let found = jwksUri
  return async () => {
    const uri = found ?? (await discover(issuer, fetch))
    // if this fails, they may have moved
    found = jwksUri
    const text = await get(uri, fetch)
    if (text === undefined) throw new KeysNotFetched(`${uri} responded with ${NOT_FOUND}`)
    found = uri
    return text
  }
}

const discover = async (issuer: string, fetch: Fetch): Promise<string> => {
  const base = issuer.replace(/\/$/, '')
  const url = `${base}/.well-known/openid-configuration`
  const text = await get(url, fetch)
  if (text === undefined) return `${base}/.well-known/jwks.json`
  const { issuer: stated, jwks_uri: uri } = fieldsIn(text, url)
  if (stated !== issuer) throw new KeysNotFetched(`${url} is the document of another issuer`)
  if (typeof uri !== 'string' || addressFault(uri, issuer) !== undefined)
    throw new KeysNotFetched(`the jwks_uri in ${url} is not an address to fetch keys from`)
  return uri
}

const fieldsIn = (text: string, url: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return { ...value }
  } catch {
    // reported below
  }
  throw new KeysNotFetched(`${url} is not an object of JSON`)
}

/** The text at a URL; undefined if there is nothing. Redirects are not followed: they would leave the checked address. */
const get = async (url: string, fetch: Fetch): Promise<string | undefined> => {
  try {
    const response = await fetch(url, {
      headers: { accept: 'application/json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    if (response.status === NOT_FOUND) return await ignored(response)
    if (response.status !== 200) {
      await ignored(response)
      throw new KeysNotFetched(`${url} responded with ${response.status}`)
    }
    return await boundedText(response, url)
  } catch (error) {
    if (error instanceof KeysNotFetched) throw error
    throw new KeysNotFetched(`${url} could not be fetched: ${reasonOf(error)}`, { cause: error })
  }
}

const ignored = async ({ body }: Response): Promise<undefined> => {
  await body?.cancel()
}

const boundedText = async ({ body }: Response, url: string): Promise<string> => {
  if (body === null) return ''
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let [text, size] = ['', 0]
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    size += value?.byteLength ?? 0
    if (size > MAX_BYTES) {
      await reader.cancel()
      throw new KeysNotFetched(`${url} is longer than ${MAX_BYTES} bytes`)
    }
    text += decoder.decode(value, { stream: true })
  }
  return text + decoder.decode()
}

/** `fetch` reports a failed connection as the cause of an error without details. */
const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' ? code : error.message
}
