import { lookup as dnsLookup, type LookupAddress } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import type { WebhookAddresses } from '../core/model/alert.ts'
import { DeliveryFailed } from '../core/ports/alert-store.ts'
import { isLoopback } from './loopback.ts'

type Network = readonly [address: string, bits: number]

const networks = (...list: readonly Network[]): BlockList => {
  const blocks = new BlockList()
  for (const [address, bits] of list) blocks.addSubnet(address, bits, address.includes(':') ? 'ipv6' : 'ipv4')
  return blocks
}

const LOOPBACK = networks(['127.0.0.0', 8], ['::1', 128])

/** Where clouds serve credentials and other secrets to any process: allowed by no setting. */
const METADATA = networks(
  ['169.254.0.0', 16],
  ['fe80::', 10],
  // AWS, Google, Alibaba, Azure
  ['fd00:ec2::', 32],
  ['fd20:ce::254', 128],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
)

const PRIVATE = networks(
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['fc00::', 7],
)

/** Other addresses that belong to no host on the internet (IANA's special-purpose address registries). */
const RESERVED = networks(
  ['0.0.0.0', 8],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
)

/** All addresses of IPv6 that are assigned to hosts on the internet. */
const GLOBAL = networks(['2000::', 3])

type AddressKind = WebhookAddresses | 'none'

/** Which setting allows an address; `none`: no setting does. IPv4 addresses within IPv6 are taken as IPv4. */
export const kindOfAddress = (address: string): AddressKind => {
  const [bare = ''] = address.split('%')
  const plain = embeddedIpv4(bare) ?? bare
  const version = isIP(plain)
  if (version === 0) return 'none'
  const family = version === 6 ? 'ipv6' : 'ipv4'
  if (METADATA.check(plain, family) || RESERVED.check(plain, family)) return 'none'
  if (LOOPBACK.check(plain, family)) return 'loopback'
  if (PRIVATE.check(plain, family)) return 'private'
  return version === 4 || GLOBAL.check(plain, family) ? 'public' : 'none'
}

/** `::ffff:10.0.0.1` (mapped) and `64:ff9b::10.0.0.1` (NAT64) in the form of URLs, whose last two groups are hexadecimal. */
const EMBEDDED = /^\[(?:::ffff|64:ff9b:):([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/

const embeddedIpv4 = (address: string): string | undefined => {
  if (isIP(address) !== 6) return undefined
  const [, high, low] = EMBEDDED.exec(new URL(`http://[${address}]`).hostname) ?? []
  if (high === undefined || low === undefined) return undefined
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)]
  return [a >> 8, a & 255, b >> 8, b & 255].join('.')
}

const ALLOWED: Readonly<Record<WebhookAddresses, readonly AddressKind[]>> = {
  public: ['public'],
  loopback: ['public', 'loopback'],
  private: ['public', 'loopback', 'private'],
}

/** The address that a URL contains instead of a name; undefined: it contains a name. */
const literalOf = ({ hostname }: URL): string | undefined => {
  const host = hostname.replace(/^\[|\]$/g, '')
  return isIP(host) === 0 ? undefined : host
}

/** Which setting allows the host of a URL, as far as its text shows; undefined: a name, which is yet to be resolved. */
const kindOfHost = (url: URL): AddressKind | undefined => {
  const literal = literalOf(url)
  if (literal !== undefined) return kindOfAddress(literal)
  return isLoopback(url.hostname) ? 'loopback' : undefined
}

/**
 * Why a webhook may not be sent to a URL, as far as the URL itself shows; undefined: it may. Completes "url must …". Other
 * names than those of this machine are checked when they are resolved.
 */
export const urlFault = (url: URL, allowed: WebhookAddresses): string | undefined => {
  const kind = kindOfHost(url)
  const mayBeHttp = kind === 'loopback' && allowed !== 'public'
  if (url.protocol !== 'https:' && !mayBeHttp)
    return 'begin with https:// (http is for a receiver on this machine, if ALERT_WEBHOOK_ADDRESSES is loopback)'
  return kind === undefined || ALLOWED[allowed].includes(kind)
    ? undefined
    : `contain no ${kind === 'none' ? 'reserved or link-local' : kind} address (ALERT_WEBHOOK_ADDRESSES is ${allowed})`
}

/** Resolves a name. */
export type Resolve = (
  hostname: string,
  done: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void

export const systemResolve: Resolve = (hostname, done) =>
  dnsLookup(hostname, { all: true }, (error, addresses) => done(error, addresses ?? []))

export interface AddressRules {
  readonly allowed: WebhookAddresses
  /** Over http, the message would be readable on the network. */
  readonly isLoopbackOnly: boolean
  readonly resolve: Resolve
}

/**
 * A lookup for a connection: it returns only addresses that are allowed, and fails if one of them is not. The connection is
 * made to these addresses, so a name cannot be resolved differently between the check and the connection.
 */
export const checkedLookup =
  (rules: AddressRules): LookupFunction =>
  (hostname, options, callback) =>
    rules.resolve(hostname, (error, addresses) => {
      const failure = error ?? faultOf(addresses, rules)
      const [first = { address: '', family: 0 }] = addresses
      if (failure !== undefined) callback(failure, '')
      else if (options.all) callback(null, [...addresses])
      else callback(null, first.address, first.family)
    })

const faultOf = (
  addresses: readonly LookupAddress[],
  { allowed, isLoopbackOnly }: AddressRules,
): DeliveryFailed | undefined => {
  if (addresses.length === 0) return new DeliveryFailed('the name of the receiver has no address')
  const kinds = ALLOWED[allowed].filter((kind) => !isLoopbackOnly || kind === 'loopback')
  const rejected = addresses.find(({ address }) => !kinds.includes(kindOfAddress(address)))
  if (rejected === undefined) return undefined
  return new DeliveryFailed(
    `the name of the receiver resolves to ${rejected.address}, which ALERT_WEBHOOK_ADDRESSES (${allowed}) does not allow`,
  )
}
