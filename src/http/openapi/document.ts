import type { Hono } from 'hono'
import { generateSpecs } from 'hono-openapi'
import type { AppEnv } from '../app-dependencies.ts'
import { accessTo } from '../auth/access.ts'
import { OPTIONAL_BODY } from './described.ts'

const DESCRIPTION = `A rate limiter for LLM and HTTP APIs. Callers authenticate with an API key, admins with a token
(on a local machine \`dev-admin\` by default). Times are seconds since the epoch.`

/**
 * The OpenAPI 3.1 document of `app`, generated from the schemas by which its routes check input. Imported on demand, so that a
 * Lambda does not load the generator at start.
 */
export const openApiDocument = async (app: Hono<AppEnv>, version: string): Promise<object> => {
  const document = await generateSpecs(app, {
    documentation: {
      openapi: '3.1.0',
      info: { title: 'zael', version, description: DESCRIPTION },
      servers: [{ url: './', description: 'The location of this document' }],
      components: {
        securitySchemes: {
          apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'A caller’s key, on /v1' },
          azureKey: {
            type: 'apiKey',
            in: 'header',
            name: 'api-key',
            description: 'A caller’s key, on /v1, in Azure OpenAI’s header',
          },
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description: 'A caller’s key, or an admin or viewer token',
          },
        },
      },
      security: [{ bearer: [] }, { apiKey: [] }, { azureKey: [] }],
    },
    excludeStaticFile: false,
    exclude: UNDESCRIBED,
    defaultValidationErrorResponse: false,
  })
  return withCommonParts(document)
}

/** The files of pages, which do not belong to the API. */
const UNDESCRIBED = [/^\/(docs|redoc)\//]

/** The part of an OpenAPI document that this file reads; other parts stay unchanged. */
interface Document {
  readonly paths?: Readonly<Record<string, PathItem | undefined>>
}

type PathItem = Readonly<Record<string, unknown>>

interface RequestBody {
  readonly content?: Readonly<Record<string, { readonly schema?: Readonly<Record<string, unknown>> }>>
}

interface Operation {
  readonly requestBody?: RequestBody
  readonly security?: readonly unknown[]
  readonly parameters?: readonly unknown[]
  readonly responses?: Readonly<Record<string, unknown>>
}

const OF_GUARDED = {
  401: 'No valid key or token',
  403: 'The key or token has no permission for this request',
  429: 'Too many failed authentications from this address',
  503: 'The store is not reachable',
} as const

/** Responses to callers, and to admins who act for an entity. */
const OF_V1 = {
  400: 'The request is not valid, or an admin names no entity in X-Zael-Entity',
  404: 'The resource does not exist, or the entity in X-Zael-Entity does not',
} as const

const OF_BODIES = {
  413: 'The body is larger than MAX_BODY_BYTES, or than 64 KiB on /v1/limits',
  415: 'The body is compressed, or its Content-Type is not JSON',
} as const

const ACTING_FOR = {
  in: 'header',
  name: 'X-Zael-Entity',
  description: 'The entity to act for, with the admin token',
  schema: { type: 'string' },
}

/** Adds the responses and parameters of middleware: authentication and the reader of bodies. A route's own descriptions take precedence. */
export const withCommonParts = <D extends Document>(document: D) => ({
  ...document,
  paths: mapped(document.paths ?? {}, (item, path) =>
    mapped(item ?? {}, (operation) => (isOperation(operation) ? completed(operation, path) : operation)),
  ),
})

const completed = (operation: Operation, path: string): Operation => {
  const isV1 = path.startsWith('/v1/')
  const isOpen = accessTo(path) === 'open'
  const common = {
    ...(!isOpen && OF_GUARDED),
    ...(isV1 && OF_V1),
    ...(operation.requestBody !== undefined && OF_BODIES),
  }
  return {
    ...operation,
    ...(isOpen && { security: [] }),
    ...(operation.requestBody !== undefined && { requestBody: withRequired(operation.requestBody) }),
    ...(isV1 && { parameters: [...(operation.parameters ?? []), ACTING_FOR] }),
    responses: {
      ...mapped(common, (description) => errorResponse(description, isV1)),
      ...operation.responses,
    },
  }
}

const withRequired = (body: RequestBody) => {
  const isOptional = Object.values(body.content ?? {}).some(({ schema }) => schema?.[OPTIONAL_BODY] === true)
  return {
    ...body,
    required: !isOptional,
    content: mapped(body.content ?? {}, ({ schema: { [OPTIONAL_BODY]: _, ...schema } = {}, ...media }) => ({
      ...media,
      schema,
    })),
  }
}

const errorResponse = (description: string, isV1: boolean) => ({
  description,
  content: {
    'application/json': { schema: { $ref: `#/components/schemas/${isV1 ? 'OpenAiError' : 'Error'}` } },
  },
})

const mapped = <V, R>(record: Readonly<Record<string, V>>, change: (value: V, key: string) => R) =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]))

const isOperation = (value: unknown): value is Operation =>
  typeof value === 'object' && value !== null && 'responses' in value
