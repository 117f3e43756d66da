import { invalid } from '../../core/model/errors.ts'
import { byClientIp, type KeyFunction } from '../requests/keys.ts'
import { queueName } from './event-facts.ts'
import { at, resolverEvent, textAt } from './event-fields.ts'

/**
 * Limits each value of a claim of the caller's token, as the authorizer in front has verified it: of a REST API with a Cognito authorizer, an
 * HTTP API with a JWT authorizer, or an AppSync API with Cognito or OIDC. Undefined for a request without it. Throws
 * `ZaelError('invalid_request')` without a name.
 *
 * @example
 * withRateLimit({ store, limits, key: byClaim('sub') }, handler)
 */
export const byClaim = (name: string): KeyFunction => {
  checkName(name, 'byClaim()', 'claim')
  return ({ native }) => {
    const event = resolverEvent(native)
    return (
      keyAt(event, 'requestContext', 'authorizer', 'jwt', 'claims', name) ??
      keyAt(event, 'requestContext', 'authorizer', 'claims', name) ??
      keyAt(event, 'identity', 'claims', name)
    )
  }
}

/**
 * Limits each value that a Lambda authorizer has put into its context: of a REST API (`principalId` too), an HTTP API, a WebSocket API, or
 * an AppSync API. Throws `ZaelError('invalid_request')` without a name.
 *
 * @example
 * withRateLimit({ store, limits, key: byAuthorizer('tenantId') }, handler)
 */
export const byAuthorizer = (name: string): KeyFunction => {
  checkName(name, 'byAuthorizer()', 'value in the context')
  return ({ native }) => {
    const event = resolverEvent(native)
    return (
      keyAt(event, 'requestContext', 'authorizer', 'lambda', name) ??
      keyAt(event, 'requestContext', 'authorizer', name) ??
      keyAt(event, 'identity', 'resolverContext', name)
    )
  }
}

/** Limits each API key of a REST API by its id, which is no secret. Undefined for a request without one. */
export const byApiKeyId = (): KeyFunction => {
  return ({ native }) => textAt(native, 'requestContext', 'identity', 'apiKeyId')
}

/**
 * Limits each address that connects to the API, the function URL or the load balancer; for IPv6 each /64. Behind CloudFront or another
 * proxy, use `byClientIp({ trustedProxies })`.
 */
export const bySourceIp = (): KeyFunction => byClientIp({ trustedProxies: 0 })

/** Limits each message group of a queue. Undefined for a message without one. */
export const byMessageGroup = (): KeyFunction => {
  return ({ native }) => textAt(native, 'attributes', 'MessageGroupId')
}

/** The queue of a message; else the address of the caller. */
export const byQueueOrSourceIp = (): KeyFunction => {
  const byIp = bySourceIp()
  return (request) =>
    at(request.native, 'eventSource') === 'aws:sqs' ? `queue:${queueName(request.native)}` : byIp(request)
}

const checkName = (name: unknown, called: string, what: string): void => {
  if (typeof name !== 'string' || name === '') throw invalid(called, `get the name of a ${what}`)
}

const keyAt = (event: unknown, ...path: readonly string[]): string | number | undefined => {
  const value = at(event, ...path)
  if (typeof value === 'number') return value
  return typeof value === 'string' && value !== '' ? value : undefined
}
