import { isLoopback } from '../../platform/loopback.ts'

/**
 * Whether a Host header, with or without a port, names this machine. A page of another site whose name resolves to
 * 127.0.0.1 still sends its own name (DNS rebinding).
 */
export const isLoopbackHost = (header: string): boolean => isLoopback(hostnameOf(header))

/** Whether the origin's host and port are those of the Host header. The scheme may differ: a proxy may speak TLS. */
export const isOwnOrigin = (origin: string, header: string): boolean => {
  if (!URL.canParse(origin)) return false
  const { protocol } = new URL(origin)
  if (protocol !== 'http:' && protocol !== 'https:') return false
  const own = urlOf(header, protocol)
  return own !== undefined && new URL(origin).origin === own.origin
}

/** Lower case, addresses in their usual form, without the port; empty where it is no host. */
const hostnameOf = (header: string): string => urlOf(header, 'http:')?.hostname ?? ''

const urlOf = (header: string, protocol: string): URL | undefined => {
  const text = `${protocol}//${header}`
  return /^[\w.:[\]-]+$/.test(header) && URL.canParse(text) ? new URL(text) : undefined
}
