import type { Hono } from 'hono'
import { generateSpecs } from 'hono-openapi'
import type { AppEnv } from '../app-dependencies.ts'
import { withCommonParts } from './common-parts.ts'

const DESCRIPTION = `A rate limiter for LLM and HTTP APIs. Callers show an API key, admins a token
(\`dev-admin\` unless set otherwise on a local machine). Times are seconds since the epoch.`

/**
 * The OpenAPI 3.1 document of `app`, made from the schemas that its routes check with. Imported only when asked for:
 * the generator has no place in what a Lambda loads at start.
 */
export const openApiDocument = async (app: Hono<AppEnv>, version: string): Promise<object> => {
  const document = await generateSpecs(app, {
    documentation: {
      openapi: '3.1.0',
      info: { title: 'zael', version, description: DESCRIPTION },
      servers: [{ url: './', description: 'Where this document lies' }],
      components: {
        securitySchemes: {
          apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'A caller’s key, on /v1' },
          azureKey: { type: 'apiKey', in: 'header', name: 'api-key', description: 'The same, on /v1' },
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

/** The files of pages, which are no part of the API. */
const UNDESCRIBED = [/^\/(docs|redoc)\//]
