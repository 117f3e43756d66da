import { isIP } from 'node:net'

const GROUPS = 8

/** The groups of a network: one IPv6 host may use any address of its /64. */
const NETWORK_GROUPS = 4

const PORT = /^(?:\[([^\]]*)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$/

/**
 * The address alone: without a port (`203.0.113.9:4711`, `[2001:db8::1]:443`), a zone (`fe80::1%eth0`) or brackets.
 * undefined if the text is not an address.
 */
export const bareAddress = (text: string): string | undefined => {
  const [, bracketed, withPort] = PORT.exec(text) ?? []
  const address = (bracketed ?? withPort ?? text).replace(/%.*$/, '')
  return isIP(address) === 0 ? undefined : address
}

/**
 * The part of an address that a client cannot easily change: the /64 of IPv6 (`2001:db8:1:2`), all of IPv4, including IPv4
 * written as IPv6 (`::ffff:192.0.2.1`, `::ffff:c000:201`, `64:ff9b::192.0.2.1`). Any other text is returned unchanged.
 */
export const addressGroup = (text: string): string => {
  const mapped = mappedByNode(text)
  if (mapped !== undefined) return mapped
  const address = bareAddress(text)
  if (address === undefined) return text
  return address.includes(':') ? groupOfIpv6(groupsOf(address)) : address
}

const MAPPED_TEXT = '::ffff:'

/** The IPv4 address of a client in the form that a server on `::` receives, which needs no parser. */
const mappedByNode = (text: string): string | undefined => {
  if (!text.startsWith(MAPPED_TEXT)) return undefined
  const address = text.slice(MAPPED_TEXT.length)
  return isIP(address) === 4 ? address : undefined
}

/** An address as eight groups; IPv4, however it is written, as the IPv4-mapped address. */
export interface ComparableAddress {
  readonly groups: readonly number[]
  readonly isIpv4: boolean
}

/** `address` as `bareAddress` returns it. */
export const comparableAddress = (address: string): ComparableAddress => {
  const groups = isIP(address) === 4 ? [...MAPPED, ...quad(address)] : groupsOf(address)
  return isIpv4(groups)
    ? { groups: [...MAPPED, ...groups.slice(6)], isIpv4: true }
    : { groups, isIpv4: false }
}

/** Whether the first `bits` of two addresses are the same. */
export const isSamePrefix = (a: readonly number[], b: readonly number[], bits: number): boolean =>
  a.every((group, index) => {
    const compared = Math.min(Math.max(bits - 16 * index, 0), 16)
    return (group ^ (b[index] ?? 0)) >> (16 - compared) === 0
  })

const groupOfIpv6 = (groups: readonly number[]): string => {
  const [high = 0, low = 0] = groups.slice(6)
  if (isIpv4(groups)) return [high >> 8, high & 255, low >> 8, low & 255].join('.')
  return groups
    .slice(0, NETWORK_GROUPS)
    .map((group) => group.toString(16))
    .join(':')
}

/** ::ffff:0:0/96, https://www.rfc-editor.org/rfc/rfc4291#section-2.5.5.2 */
const MAPPED = [0, 0, 0, 0, 0, 0xffff] as const

/** ::ffff:0:0:0/96, https://www.rfc-editor.org/rfc/rfc2765#section-2.1 */
const TRANSLATED = [0, 0, 0, 0, 0xffff, 0] as const

/** 64:ff9b::/96, IPv4 behind NAT64: https://www.rfc-editor.org/rfc/rfc6052#section-2.1 */
const NAT64 = [0x64, 0xff9b, 0, 0, 0, 0] as const

/** ::/96, except `::` and `::1`: https://www.rfc-editor.org/rfc/rfc4291#section-2.5.5.1 */
const COMPATIBLE = [0, 0, 0, 0, 0, 0] as const

const isIpv4 = (groups: readonly number[]): boolean => {
  // every prefix begins with one of these
  if (groups[0] !== 0 && groups[0] !== NAT64[0]) return false
  const begins = (prefix: readonly number[]): boolean =>
    prefix.every((group, index) => groups[index] === group)
  return begins(MAPPED) || begins(NAT64) || begins(TRANSLATED) || (begins(COMPATIBLE) && groups[6] !== 0)
}

/** The eight groups of a valid IPv6 address. */
const groupsOf = (address: string): readonly number[] => {
  const [left = '', right] = address.split('::')
  const groups = partsOf(left)
  const tail = partsOf(right ?? '')
  while (groups.length < GROUPS - tail.length) groups.push(0)
  return groups.concat(tail)
}

const partsOf = (text: string): number[] => {
  const groups: number[] = []
  if (text === '') return groups
  for (const part of text.split(':')) {
    if (part.includes('.')) groups.push(...quad(part))
    else groups.push(Number.parseInt(part, 16))
  }
  return groups
}

const quad = (text: string): readonly number[] => {
  const [a = 0, b = 0, c = 0, d = 0] = text.split('.').map(Number)
  return [a * 256 + b, c * 256 + d]
}
