/** What a request shows to say who asks. */
export interface Credential {
  readonly token: string
  /** Admin and viewer tokens come as `Authorization: Bearer` only. */
  readonly isBearer: boolean
}

const LONGEST_TOKEN = 512
const BEARER = /^bearer +(\S+) *$/i

/**
 * X-API-Key, else `Authorization: Bearer`; undefined where there is neither, or nothing that could be one. `header` gives a
 * header's value by its lower-case name.
 */
export const presentedKey = (header: (name: string) => string | undefined): Credential | undefined => {
  const apiKey = header('x-api-key')?.trim()
  const token = apiKey || BEARER.exec(header('authorization') ?? '')?.[1]
  if (token === undefined || token.length > LONGEST_TOKEN) return undefined
  return { token, isBearer: !apiKey }
}
