type Fields = Readonly<Record<string, unknown>>

/**
 * The address of the connection, of what a platform hands to a Hono app: a Node server its socket, API Gateway and function
 * URLs their request context. `unknown` where the platform tells none.
 */
export const connectionAddress = (env: unknown): string => {
  const candidates = [
    at(env, 'incoming', 'socket', 'remoteAddress'),
    at(env, 'requestContext', 'identity', 'sourceIp'),
    at(env, 'requestContext', 'http', 'sourceIp'),
    at(env, 'event', 'requestContext', 'identity', 'sourceIp'),
    at(env, 'event', 'requestContext', 'http', 'sourceIp'),
  ]
  return candidates.find((address) => typeof address === 'string') ?? 'unknown'
}

const at = (value: unknown, ...path: readonly string[]): string | undefined => {
  let here = value
  for (const key of path) here = isFields(here) ? here[key] : undefined
  return typeof here === 'string' ? here : undefined
}

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null
