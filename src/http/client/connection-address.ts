type Fields = Readonly<Record<string, unknown>>

/**
 * The address of the connection, of what a platform passes to a Hono app as `env`: a Node server its socket, API Gateway and
 * function URLs their request context, Deno the connection, Bun the server, which finds it by the request. `unknown` where
 * the platform provides none.
 */
export const connectionAddress = (env: unknown, request?: Request): string => {
  const candidates = [
    at(env, 'incoming', 'socket', 'remoteAddress'),
    at(env, 'requestContext', 'identity', 'sourceIp'),
    at(env, 'requestContext', 'http', 'sourceIp'),
    at(env, 'event', 'requestContext', 'identity', 'sourceIp'),
    at(env, 'event', 'requestContext', 'http', 'sourceIp'),
    at(env, 'remoteAddr', 'hostname'),
  ]
  return candidates.find((address) => address !== undefined) ?? bunAddress(env, request) ?? 'unknown'
}

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

/** The name of a runtime that gives an app no address of the connection; undefined on all others. */
export const runtimeWithoutAddresses = (): string | undefined => {
  if (at(globalThis, 'navigator', 'userAgent') === 'Cloudflare-Workers') return 'Cloudflare Workers'
  if ('EdgeRuntime' in globalThis) return 'an edge runtime'
  return 'fastly' in globalThis ? 'Fastly Compute' : undefined
}
