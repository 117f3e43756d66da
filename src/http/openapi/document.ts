import type { Hono } from 'hono'
import { generateSpecs } from 'hono-openapi'
import type { AppEnv } from '../app-dependencies.ts'
import { accessTo } from '../auth/access.ts'
import { OPTIONAL_BODY } from './described.ts'
import { OPERATION_IDS } from './operation-ids.ts'

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

interface WithContent {
  readonly content?: Readonly<Record<string, { readonly schema?: Readonly<Record<string, unknown>> }>>
}

interface Operation {
  readonly operationId?: string
  readonly requestBody?: WithContent
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

/**
 * Adds the names of operations, and the responses and parameters of middleware: authentication and the reader of bodies. A route's
 * own descriptions take precedence.
 */
export const withCommonParts = <D extends Document>(document: D) => ({
  ...document,
  paths: mapped(document.paths ?? {}, (item, path) =>
    mapped(item ?? {}, (operation, method) =>
      isOperation(operation) ? completed(operation, method, path) : operation,
    ),
  ),
})

const completed = (operation: Operation, method: string, path: string): Operation => {
  const operationId = OPERATION_IDS[`${method.toUpperCase()} ${path}`]
  const name = operationId === undefined ? '' : operationId.charAt(0).toUpperCase() + operationId.slice(1)
  const isV1 = path.startsWith('/v1/')
  const isOpen = accessTo(path) === 'open'
  const common = {
    ...(!isOpen && OF_GUARDED),
    ...(isV1 && OF_V1),
    ...(operation.requestBody !== undefined && OF_BODIES),
  }
  return {
    ...operation,
    ...(operationId !== undefined && { operationId }),
    ...(isOpen && { security: [] }),
    ...(operation.requestBody !== undefined && {
      requestBody: titled(withRequired(operation.requestBody), `${name}Body`),
    }),
    ...(isV1 && { parameters: [...(operation.parameters ?? []), ACTING_FOR] }),
    responses: {
      ...mapped(common, (description) => errorResponse(description, isV1)),
      ...mapped(operation.responses ?? {}, (response, status) =>
        isSuccess(status) && hasContent(response) ? titled(response, `${name}Result`) : response,
      ),
    },
  }
}

const withRequired = (body: WithContent) => {
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

/** An object that is described in place has a title, by which documentation and generated clients name it. */
const titled = <C extends WithContent>(part: C, title: string) => ({
  ...part,
  ...(part.content !== undefined && {
    content: mapped(part.content, (media, type) =>
      type === 'application/json' && media.schema?.type === 'object'
        ? { ...media, schema: { title, ...media.schema } }
        : media,
    ),
  }),
})

const isSuccess = (status: string): boolean => status.startsWith('2')

const hasContent = (value: unknown): value is WithContent =>
  typeof value === 'object' && value !== null && 'content' in value

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
