/**
 * Whether a host name or address is this machine's own: localhost, a name below `.localhost`, 127.0.0.0/8 or ::1, in any
 * case, with or without the brackets of a URL and a final dot.
 */
export const isLoopback = (host: string): boolean => {
  const name = host.toLowerCase().replace(/\.$/, '')
  return /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/.test(name)
}
