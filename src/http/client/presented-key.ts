/** What a request presents to be authenticated. */
export interface Credential {
  readonly token: string
  /** Admin and viewer tokens come as `Authorization: Bearer` only. */
  readonly isBearer: boolean
}

/** Returns a header's value by its lower-case name. */
type HeaderOf = (name: string) => string | undefined

const LONGEST_TOKEN = 512
const BEARER = /^bearer +(\S+) *$/i

/**
 * The key in `Authorization: Bearer`, `X-API-Key` or `api-key`; undefined where there is none, or nothing that could be one.
 * `conflict`: two of them differ.
 */
export const presentedKey = (header: HeaderOf): Credential | 'conflict' | undefined => {
  const { bearer, apiKeys } = tokensIn(header)
  const [token = bearer] = apiKeys
  if (token === undefined) return undefined
  if ([bearer ?? token, ...apiKeys].some((other) => other !== token)) return 'conflict'
  return token.length > LONGEST_TOKEN ? undefined : { token, isBearer: bearer !== undefined }
}

/** The same for apps that use `Authorization` for something else as well: `X-API-Key`, else `api-key`, else Bearer. */
export const presentedApiKey = (header: HeaderOf): string | undefined => {
  const { bearer, apiKeys } = tokensIn(header)
  const [token = bearer] = apiKeys
  return token === undefined || token.length > LONGEST_TOKEN ? undefined : token
}

const tokensIn = (header: HeaderOf) => ({
  bearer: BEARER.exec(header('authorization') ?? '')?.[1],
  apiKeys: ['x-api-key', 'api-key'].flatMap((name) => header(name)?.trim() || []),
})
