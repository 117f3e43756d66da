import { isIP } from 'node:net'

const GROUPS = 8
/** Groups that name a network: an IPv6 host owns its /64. */
const NETWORK_GROUPS = 4
const PORT = /^(?:\[([^\]]*)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$/

/**
 * The address alone: without a port (`203.0.113.9:4711`, `[2001:db8::1]:443`), a zone (`fe80::1%eth0`) or brackets.
 * undefined where it is none.
 */
export const bareAddress = (text: string): string | undefined => {
  const [, bracketed, withPort] = PORT.exec(text) ?? []
  const address = (bracketed ?? withPort ?? text).replace(/%.*$/, '')
  return isIP(address) === 0 ? undefined : address
}

/**
 * What one client cannot easily change of its address: of IPv6 the /64 (`2001:db8:1:2`), of IPv4 all of it, also where it
 * is written as IPv6 (`::ffff:192.0.2.1`, `::ffff:c000:201`). What is no address stays as it is.
 */
export const addressGroup = (text: string): string => {
  const address = bareAddress(text)
  if (address === undefined) return text
  return isIP(address) === 4 ? address : groupOfIpv6(groupsOf(address))
}

/** An address as `BlockList` compares it: IPv4 also where it is written as IPv6. */
export const comparable = (
  address: string,
): { readonly address: string; readonly family: 'ipv4' | 'ipv6' } => {
  const group = addressGroup(address)
  return isIP(group) === 4 ? { address: group, family: 'ipv4' } : { address, family: 'ipv6' }
}

const groupOfIpv6 = (groups: readonly number[]): string => {
  const [high = 0, low = 0] = groups.slice(6)
  if (isMapped(groups)) return [high >> 8, high & 255, low >> 8, low & 255].join('.')
  return groups
    .slice(0, NETWORK_GROUPS)
    .map((group) => group.toString(16))
    .join(':')
}

/** ::ffff:0:0/96, https://www.rfc-editor.org/rfc/rfc4291#section-2.5.5.2 */
const isMapped = (groups: readonly number[]): boolean =>
  groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff

/** The eight groups of a valid IPv6 address. */
const groupsOf = (address: string): readonly number[] => {
  const [left = '', right] = address.split('::')
  const head = partsOf(left)
  const tail = partsOf(right ?? '')
  return [...head, ...Array.from({ length: GROUPS - head.length - tail.length }, () => 0), ...tail]
}

const partsOf = (text: string): readonly number[] =>
  text === ''
    ? []
    : text.split(':').flatMap((part) => (part.includes('.') ? quad(part) : [parseInt(part, 16)]))

const quad = (text: string): readonly number[] => {
  const [a = 0, b = 0, c = 0, d = 0] = text.split('.').map(Number)
  return [a * 256 + b, c * 256 + d]
}
