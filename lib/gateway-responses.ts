import { type GatewayResponseOptions, ResponseType } from 'aws-cdk-lib/aws-apigateway'
import type { DeniedContext } from '../src/contract/authorizer.ts'

export interface GatewayResponsesOptions {
  /** The origin whose pages may read the responses, or `*`: they then have the CORS headers. Default: none may. */
  readonly allowOrigin?: string
}

/** A value of the authorizer's response, in a mapping. */
const mappingOf = (name: keyof DeniedContext): string => `context.authorizer.${name}`

/** The same in a template, as text and as a number. API Gateway inserts it as it is. */
const textOf = (name: keyof DeniedContext): string => `"$${mappingOf(name)}"`

const numberOf = (name: keyof DeniedContext): string => `$${mappingOf(name)}`

/** Headers whose value the authorizer chose; without a value, the response does not have the header. */
const DENIED_HEADERS = {
  'Retry-After': mappingOf('retryAfter'),
  'Retry-After-Ms': mappingOf('retryAfterMs'),
  'X-Should-Retry': mappingOf('shouldRetry'),
  RateLimit: mappingOf('rateLimit'),
  'RateLimit-Policy': mappingOf('rateLimitPolicy'),
  'X-Zael-Degraded': mappingOf('degraded'),
}

const COMMON_HEADERS = { 'Cache-Control': "'no-store'", 'X-Content-Type-Options': "'nosniff'" }

/** The body of a 429 as the HTTP API writes it, with the limit whose wait is the longest. Not `JSON.stringify`: numbers are variables too. */
const DENIED_BODY = [
  `{"error":"rate_limit_exceeded","message":${textOf('message')},"retry_after_seconds":${numberOf('retryAfterSeconds')},`,
  `"violations":[{"limit_name":${textOf('limitName')},"entity_id":${textOf('limitEntity')},"resource":${textOf('limitResource')},`,
  `"available":${numberOf('available')},"requested":${numberOf('requested')},"capacity":${numberOf('capacity')},`,
  `"retry_after_seconds":${numberOf('retryAfterSeconds')}}]}`,
].join('')

const UNAUTHORIZED_BODY = JSON.stringify({
  error: 'unauthorized',
  message: 'A valid API key or token is required: Authorization: Bearer <key>, X-API-Key or api-key',
})

const UNAVAILABLE_BODY = JSON.stringify({
  error: 'unavailable',
  message: 'The request cannot be authorized at the moment. Try again.',
})

/**
 * The responses of an API to what its authorizer rejects: 429 to a denial, 401 to bad credentials, 503 if the authorizer could
 * not decide. For `RestApi.addGatewayResponse`; `ZaelAuthorizer.addGatewayResponses` adds all of them.
 *
 * @example
 * for (const response of gatewayResponses()) api.addGatewayResponse(response.type.responseType, response)
 */
export const gatewayResponses = ({
  allowOrigin,
}: GatewayResponsesOptions = {}): readonly GatewayResponseOptions[] => {
  const response = (
    type: ResponseType,
    statusCode: string,
    body: string,
    headers: Readonly<Record<string, string>>,
  ): GatewayResponseOptions => ({
    type,
    statusCode,
    templates: { 'application/json': body },
    responseHeaders: { ...COMMON_HEADERS, ...headers, ...corsHeaders(allowOrigin) },
  })
  const unavailable = (type: ResponseType) =>
    response(type, '503', UNAVAILABLE_BODY, { 'Retry-After': "'1'", 'X-Zael-Degraded': "'true'" })
  return [
    response(ResponseType.ACCESS_DENIED, '429', DENIED_BODY, DENIED_HEADERS),
    response(ResponseType.UNAUTHORIZED, '401', UNAUTHORIZED_BODY, {
      'WWW-Authenticate': `'Bearer realm="zael"'`,
    }),
    unavailable(ResponseType.AUTHORIZER_FAILURE),
    unavailable(ResponseType.AUTHORIZER_CONFIGURATION_ERROR),
  ]
}

const EXPOSED = [...Object.keys(DENIED_HEADERS), 'WWW-Authenticate'].join(', ')

/** Throws for a text that would end the value in the mapping. */
const corsHeaders = (allowOrigin: string | undefined): Readonly<Record<string, string>> => {
  if (allowOrigin === undefined) return {}
  if (allowOrigin !== '*' && !/^https?:\/\/[A-Za-z0-9.:[\]-]+$/.test(allowOrigin)) {
    throw new Error(`allowOrigin must be * or an origin such as https://app.example, not ${allowOrigin}`)
  }
  return {
    'Access-Control-Allow-Origin': `'${allowOrigin}'`,
    'Access-Control-Expose-Headers': `'${EXPOSED}'`,
    ...(allowOrigin !== '*' && { Vary: "'Origin'" }),
  }
}
