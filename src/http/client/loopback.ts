/**
 * Whether a Host header names this machine: localhost, a name below `.localhost`, 127.0.0.0/8 or [::1], with or without a
 * port. A page of another site whose name resolves to 127.0.0.1 still sends its own name (DNS rebinding).
 */
export const isLoopbackHost = (header: string): boolean => {
  const name = hostnameOf(header)
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '[::1]' ||
    /^127(\.\d{1,3}){3}$/.test(name)
  )
}

/** Whether the origin's host and port are those of the Host header. The scheme may differ: a proxy may speak TLS. */
export const isOwnOrigin = (origin: string, header: string): boolean => {
  if (!URL.canParse(origin)) return false
  const { protocol } = new URL(origin)
  if (protocol !== 'http:' && protocol !== 'https:') return false
  const own = urlOf(header, protocol)
  return own !== undefined && new URL(origin).origin === own.origin
}

/** Lower case, addresses in their usual form, without the port and a final dot; empty where it is no host. */
const hostnameOf = (header: string): string => urlOf(header, 'http:')?.hostname.replace(/\.$/, '') ?? ''

const urlOf = (header: string, protocol: string): URL | undefined => {
  const text = `${protocol}//${header}`
  return /^[\w.:[\]-]+$/.test(header) && URL.canParse(text) ? new URL(text) : undefined
}
