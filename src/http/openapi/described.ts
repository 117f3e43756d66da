import type { MiddlewareHandler } from 'hono'
import { type describeRoute, resolver, uniqueSymbol } from 'hono-openapi'
import * as v from 'valibot'
import { errorResponse } from '../../contract/errors.ts'
import { JSON_SCHEMA_OPTIONS } from '../../contract/json-schema.ts'

/** Marks the schema of a body that may be left out: the generator declares every body as required. */
export const OPTIONAL_BODY = 'x-optional-body'

const ERRORS = {
  400: 'The request is not valid; `field` names the input at fault',
  404: 'There is no such thing',
  409: 'It conflicts with what there is',
  429: 'Too many searches at once, or too many failed authentications from this address',
} as const

type ErrorStatus = keyof typeof ERRORS

/** How one route is described in the OpenAPI document. */
export interface Description {
  readonly tag: string
  readonly summary: string
  readonly description?: string
  /** Status (200 unless told), schema (none: no body) and media type of the answer. */
  readonly status?: number
  /** Another status with the same answer. */
  readonly otherStatus?: number
  readonly answer?: v.GenericSchema
  readonly mediaType?: string
  /** Beside those that the access check, the body reader and the store produce: see `withCommonParts`. */
  readonly errors?: readonly ErrorStatus[]
}

/** Describes a route. As `describeRoute`, which takes a promise of its own for each request. */
export const describe = (spec: Parameters<typeof describeRoute>[0]): MiddlewareHandler =>
  Object.assign<MiddlewareHandler, object>((_, next) => next(), { [uniqueSymbol]: { spec } })

/** Describes a route by the very schemas that its answers are tested against. */
export const described = (route: Description) => {
  const { status = 200, otherStatus = status, answer, mediaType = 'application/json' } = route
  const success = {
    description: status === 204 ? 'Done' : 'The answer',
    ...(answer !== undefined && {
      content: { [mediaType]: { schema: resolver(answer, JSON_SCHEMA_OPTIONS) } },
    }),
  }
  return describe({
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
export const describedPage = (summary: string) =>
  described({ tag: 'Pages', summary, answer: v.string(), mediaType: 'text/html' })

/** One answer of a route, as JSON. */
export const jsonAnswer = (description: string, schema: v.GenericSchema) => ({
  description,
  content: { 'application/json': { schema: resolver(schema, JSON_SCHEMA_OPTIONS) } },
})

const describedError = (status: ErrorStatus) => jsonAnswer(ERRORS[status], errorResponse)
