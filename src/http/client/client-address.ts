import { bareAddress, type ComparableAddress, comparableAddress, isSamePrefix } from './ip-address.ts'

/** What a request tells of where it comes from. */
export interface Origin {
  /** The address of the connection. */
  readonly connection: string
  /** The header X-Forwarded-For as it came. */
  readonly forwardedFor: string | undefined
}

/** Says where a request really comes from. */
export type ClientAddress = (origin: Origin) => string

/**
 * Trusts as many proxies as stand before this process: each has appended the address it saw to X-Forwarded-For, so only
 * the last `hops` entries can be believed. With none, or fewer entries, it is the address of the connection.
 */
export const addressBehind =
  (hops: number): ClientAddress =>
  ({ connection, forwardedFor }) =>
    hops === 0 ? connection : entriesOf(forwardedFor).at(-hops) || connection

/**
 * Trusts proxies by their addresses and networks (`10.0.0.0/8`, `::ffff:10.0.0.0/104`, `2001:db8::/32`): from the right, the
 * first entry of X-Forwarded-For that is none of them. Nothing is believed of a connection that does not come from one of them.
 * Throws `RangeError` where an entry of `proxies` is neither an address nor a network.
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

/** `bits` of 128: IPv4 is compared as the last 32 of them. */
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
