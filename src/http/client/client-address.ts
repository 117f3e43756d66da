import { BlockList } from 'node:net'
import { bareAddress, comparable } from './ip-address.ts'

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
 * Trusts proxies by their addresses and networks (`10.0.0.0/8`, `2001:db8::/32`): from the right, the first entry of
 * X-Forwarded-For that none of them is. Nothing is believed of a connection that does not come from one of them.
 * Throws `RangeError` where an entry of `proxies` is neither an address nor a network.
 */
export const addressBeyond = (proxies: readonly string[]): ClientAddress => {
  const trusted = blockListOf(proxies)
  const isTrusted = (text: string): boolean => {
    const address = bareAddress(text)
    if (address === undefined) return false
    const { address: compared, family } = comparable(address)
    return trusted.check(compared, family)
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

const blockListOf = (proxies: readonly string[]): BlockList => {
  const list = new BlockList()
  for (const proxy of proxies) addTo(list, proxy)
  return list
}

const addTo = (list: BlockList, proxy: string): void => {
  const [network = '', prefix, ...rest] = proxy.split('/')
  const address = bareAddress(network)
  if (address !== network || rest.length > 0) throw noNetwork(proxy)
  const { address: compared, family } = comparable(address)
  if (prefix === undefined) {
    list.addAddress(compared, family)
    return
  }
  const bits = Number(prefix)
  if (!/^\d{1,3}$/.test(prefix) || bits > (family === 'ipv4' ? 32 : 128)) throw noNetwork(proxy)
  list.addSubnet(compared, bits, family)
}

const noNetwork = (proxy: string): RangeError =>
  new RangeError(`${proxy} is neither an IP address nor a network such as 10.0.0.0/8`)
