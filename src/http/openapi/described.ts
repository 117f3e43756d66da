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
  /** In addition to those of the access check, the body reader and the store: see `withCommonParts`. */
  readonly errors?: readonly ErrorStatus[]
}

/** Describes a route. As `describeRoute`, which takes a promise of its own for each request. */
export const describeOperation = (spec: Parameters<typeof describeOpenApiRoute>[0]): MiddlewareHandler =>
  Object.assign<MiddlewareHandler, object>((_, next) => next(), { [uniqueSymbol]: { spec } })

/** Describes a route by the schemas that its responses are tested against. */
export const describeRoute = (route: Description) => {
  const { status = 200, otherStatus = status, response, mediaType = 'application/json' } = route
  const success = {
    description: status === 204 ? 'Done' : 'The response',
    ...(response !== undefined && {
      content: { [mediaType]: { schema: resolver(response, JSON_SCHEMA_OPTIONS) } },
    }),
  }
  return describeOperation({
    tags: [route.tag],
    summary: route.summary,
    ...(route.description !== undefined && { description: route.description }),
    responses: {
      [status]: success,
      [otherStatus]: success,
      ...Object.fromEntries((route.errors ?? []).map((error) => [error, describedError(error)])),
    },
  })
}

/** Describes a page for people. */
export const describePage = (summary: string) =>
  describeRoute({ tag: 'Pages', summary, response: v.string(), mediaType: 'text/html' })

/** One response of a route, as JSON. */
export const jsonResponse = (description: string, schema: v.GenericSchema) => ({
  description,
  content: { 'application/json': { schema: resolver(schema, JSON_SCHEMA_OPTIONS) } },
})

const describedError = (status: ErrorStatus) => jsonResponse(ERRORS[status], errorResponse)
