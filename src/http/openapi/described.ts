import type { MiddlewareHandler } from 'hono'
import { type describeRoute as describeOpenApiRoute, resolver, uniqueSymbol } from 'hono-openapi'
import * as v from 'valibot'
import { errorResponse } from '../../contract/errors.ts'
import { JSON_SCHEMA_OPTIONS } from '../../contract/json-schema.ts'

/** Marks the schema of an optional body: the generator declares every body as required. */
export const OPTIONAL_BODY = 'x-optional-body'

const ERRORS = {
  400: 'The request is not valid; `field` names the input at fault',
  404: 'The resource does not exist',
  409: 'The request conflicts with the current state',
  412: 'The resource is not what If-Match or If-None-Match names, and nothing was changed',
  429: 'Too many searches at once, or too many failed authentications from this address',
} as const

type ErrorStatus = keyof typeof ERRORS

/** The description of one route in the OpenAPI document. */
export interface Description {
  readonly tag: string
  readonly summary: string
  readonly description?: string
  /** Status (default 200), schema (none: no body) and media type of the response. */
  readonly status?: number
  /** Another status with the same body. */
  readonly otherStatus?: number
  readonly response?: v.GenericSchema
  readonly mediaType?: string
  /**
   * `shown`: responses have an ETag. `condition`: the request may have If-Match and If-None-Match. `compared`: both.
   */
  readonly etag?: 'shown' | 'condition' | 'compared'
  /** In addition to those of the access check, the body reader and the store: see `withCommonParts`. */
  readonly errors?: readonly ErrorStatus[]
}

/** Describes a route. As `describeRoute`, which takes a promise of its own for each request. */
export const describeOperation = (spec: Parameters<typeof describeOpenApiRoute>[0]): MiddlewareHandler =>
  Object.assign<MiddlewareHandler, object>((_, next) => next(), { [uniqueSymbol]: { spec } })

/** Describes a route by the schemas that its responses are tested against. */
export const describeRoute = (route: Description) => {
  const { status = 200, otherStatus = status, response, mediaType = 'application/json', etag } = route
  const isConditional = etag === 'compared' || etag === 'condition'
  const errors: readonly ErrorStatus[] = [...(route.errors ?? []), ...(isConditional ? [412 as const] : [])]
  const success = {
    description: status === 204 ? 'Done' : 'The response',
    ...((etag === 'shown' || etag === 'compared') && { headers: ETAG_HEADER }),
    ...(response !== undefined && {
      content: { [mediaType]: { schema: resolver(response, JSON_SCHEMA_OPTIONS) } },
    }),
  }
  return describeOperation({
    tags: [route.tag],
    summary: route.summary,
    ...(route.description !== undefined && { description: route.description }),
    ...(isConditional && { parameters: CONDITION_HEADERS }),
    responses: {
      [status]: success,
      [otherStatus]: success,
      ...Object.fromEntries(errors.map((error) => [error, describedError(error)])),
    },
  })
}

const ETAG_HEADER = {
  ETag: { description: 'The version of the resource, for If-Match', schema: { type: 'string' as const } },
}

/** The headers of conditional changes. */
const CONDITION_HEADERS = [
  {
    in: 'header' as const,
    name: 'If-Match',
    description:
      'The ETag on which this change is based, or a list of them; *: if it exists, and, of limits, if there are any. Otherwise 412',
    schema: { type: 'string' as const },
  },
  {
    in: 'header' as const,
    name: 'If-None-Match',
    description: '*: if there is none yet. Otherwise 412',
    schema: { type: 'string' as const },
  },
]

/** Describes a page for people. */
export const describePage = (summary: string) =>
  describeRoute({ tag: 'Pages', summary, response: v.string(), mediaType: 'text/html' })

/** One response of a route, as JSON. */
export const jsonResponse = (description: string, schema: v.GenericSchema) => ({
  description,
  content: { 'application/json': { schema: resolver(schema, JSON_SCHEMA_OPTIONS) } },
})

const describedError = (status: ErrorStatus) => jsonResponse(ERRORS[status], errorResponse)
