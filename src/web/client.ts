import { bareAddress, type ComparableAddress, comparableAddress, isSamePrefix } from './ip-address.ts'

/** The credential of a request. */
export interface Credential {
  readonly token: string
  /** Admin and viewer tokens are accepted only as `Authorization: Bearer`. */
  readonly isBearer: boolean
}

/** Returns a header's value by its lower-case name. */
export type HeaderOf = (name: string) => string | undefined

/** The longest key, in characters. */
export const LONGEST_KEY = 512

const BEARER = /^bearer +(\S+) *$/i

/**
 * The key in `Authorization: Bearer`, `X-API-Key` or `api-key`; undefined if there is none, or none of a valid form and length.
 * `conflict`: two of them differ.
 */
export const presentedKey = (
  header: HeaderOf,
  longest: number = LONGEST_KEY,
): Credential | 'conflict' | undefined => {
  const { bearer, xApiKey, apiKey } = tokensIn(header)
  const token = xApiKey ?? apiKey ?? bearer
  if (token === undefined) return undefined
  if ((apiKey ?? token) !== token || (bearer ?? token) !== token) return 'conflict'
  return token.length > longest ? undefined : { token, isBearer: bearer !== undefined }
}

/** The same for apps that also use `Authorization` for other purposes: `X-API-Key`, else `api-key`, else Bearer. */
export const presentedApiKey = (header: HeaderOf): string | undefined => {
  const { bearer, xApiKey, apiKey } = tokensIn(header)
  const token = xApiKey ?? apiKey ?? bearer
  return token === undefined || token.length > LONGEST_KEY ? undefined : token
}

/** The credential in `Authorization: Bearer`, of any length. */
export const presentedBearer = (header: HeaderOf): string | undefined =>
  BEARER.exec(header('authorization') ?? '')?.[1]

const tokensIn = (header: HeaderOf) => ({
  bearer: presentedBearer(header),
  xApiKey: header('x-api-key')?.trim() || undefined,
  apiKey: header('api-key')?.trim() || undefined,
})

type Fields = Readonly<Record<string, unknown>>

/**
 * The address of the connection, from the `env` that a platform passes to a Hono app: a Node server passes its socket, API
 * Gateway and function URLs their request context, Deno the connection, and Bun the server, which finds the address by the
 * request. `unknown` if the platform provides none.
 */
export const connectionAddress = (env: unknown, request?: Request): string =>
  at(env, 'incoming', 'socket', 'remoteAddress') ??
  at(env, 'requestContext', 'identity', 'sourceIp') ??
  at(env, 'requestContext', 'http', 'sourceIp') ??
  at(env, 'event', 'requestContext', 'identity', 'sourceIp') ??
  at(env, 'event', 'requestContext', 'http', 'sourceIp') ??
  at(env, 'remoteAddr', 'hostname') ??
  bunAddress(env, request) ??
  'unknown'

const bunAddress = (env: unknown, request: Request | undefined): string | undefined => {
  const server = isFields(env) && isFields(env.server) ? env.server : env
  if (!isFields(server) || typeof server.requestIP !== 'function') return undefined
  return at(server.requestIP(request), 'address')
}

const at = (value: unknown, ...path: readonly string[]): string | undefined => {
  let here = value
  for (const key of path) here = isFields(here) ? here[key] : undefined
  return typeof here === 'string' ? here : undefined
}

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null

/** The name of a runtime that provides no address of the connection; undefined on all others. */
export const runtimeWithoutAddresses = (): string | undefined => {
  if (at(globalThis, 'navigator', 'userAgent') === 'Cloudflare-Workers') return 'Cloudflare Workers'
  if ('EdgeRuntime' in globalThis) return 'an edge runtime'
  return 'fastly' in globalThis ? 'Fastly Compute' : undefined
}

/** The addresses that a request contains. */
export interface RequestOrigin {
  /** The address of the connection. */
  readonly connection: string
  /** The header X-Forwarded-For. */
  readonly forwardedFor: string | undefined
}

/** Returns the address of the client. */
export type ClientAddress = (origin: RequestOrigin) => string

/**
 * Trusts a number of proxies in front of this process. Each appends the address of its client to X-Forwarded-For, so only the
 * last `hops` entries are trusted. With 0 hops, or fewer entries, it is the address of the connection.
 */
export const addressBehind =
  (hops: number): ClientAddress =>
  ({ connection, forwardedFor }) =>
    hops === 0 ? connection : entriesOf(forwardedFor).at(-hops) || connection

/**
 * Trusts proxies by their addresses and networks (`10.0.0.0/8`, `::ffff:10.0.0.0/104`, `2001:db8::/32`): returns the first
 * entry of X-Forwarded-For, from the right, that is not one of them. The header is ignored if the connection does not come from
 * one of them. Throws `RangeError` if an entry of `proxies` is neither an address nor a network.
 */
export const addressBeyond = (proxies: readonly string[]): ClientAddress => {
  const networks = proxies.map(networkOf)
  const isTrusted = (text: string): boolean => {
    const address = bareAddress(text)
    if (address === undefined) return false
    const { groups, isIpv4 } = comparableAddress(address)
    return networks.some(
      (network) => network.isIpv4 === isIpv4 && isSamePrefix(network.groups, groups, network.bits),
    )
  }
  return ({ connection, forwardedFor }) => {
    let believed = connection
    for (const entry of entriesOf(forwardedFor).reverse()) {
      if (!isTrusted(believed)) return believed
      if (bareAddress(entry) === undefined) return believed
      believed = entry
    }
    return believed
  }
}

const entriesOf = (forwardedFor: string | undefined): string[] =>
  (forwardedFor ?? '').split(',').map((entry) => entry.trim())

/** `bits` is a prefix length of 128: IPv4 is compared as the last 32 bits. */
interface Network extends ComparableAddress {
  readonly bits: number
}

const ALL_BITS = 128

const IPV4_OFFSET = 96

const networkOf = (proxy: unknown): Network => {
  if (typeof proxy !== 'string') throw noNetwork(proxy)
  const [network = '', prefix, ...rest] = proxy.split('/')
  const address = bareAddress(network)
  if (address !== network || rest.length > 0) throw noNetwork(proxy)
  const comparable = comparableAddress(address)
  if (prefix === undefined) return { ...comparable, bits: ALL_BITS }
  const offset = address.includes(':') ? 0 : IPV4_OFFSET
  const bits = offset + Number(prefix)
  if (!/^\d{1,3}$/.test(prefix) || bits > ALL_BITS) throw noNetwork(proxy)
  if (comparable.isIpv4 && bits < IPV4_OFFSET) {
    throw new RangeError(`${proxy} is IPv4 written as IPv6, whose prefix is ${IPV4_OFFSET} or longer`)
  }
  return { ...comparable, bits }
}

const noNetwork = (proxy: unknown): RangeError =>
  new RangeError(`${String(proxy)} is neither an IP address nor a network such as 10.0.0.0/8`)
