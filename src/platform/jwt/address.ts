import { isLoopback } from '../loopback.ts'

/**
 * What is wrong with an address of keys, completing "<field> must …"; undefined: nothing. Keys that are fetched without TLS could
 * be anybody's, so only a development server on the same machine may use http.
 */
export const addressFault = (text: string, issuer?: string): string | undefined => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isOwn = url?.protocol === 'http:' && isLoopback(url.hostname)
  if (url === undefined || (url.protocol !== 'https:' && !isOwn))
    return 'be a URL that begins with https://; http:// is accepted for a loopback address only'
  if (url.username !== '' || url.password !== '') return 'contain no user name or password'
  if (url.hash !== '') return 'have no fragment'
  // a remote issuer may not direct this process to a port of its own machine
  if (isOwn && issuer !== undefined && !isLoopback(new URL(issuer).hostname))
    return 'not be a loopback address'
  return undefined
}
