import { type Context, Hono } from 'hono'
import * as v from 'valibot'
import { ZaelError } from '../../core/model/errors.ts'
import { sharedRead } from '../../core/ports/shared-read.ts'
import type { AppEnv, AssetName, Assets } from '../app-dependencies.ts'
import { describePage, describeRoute } from '../openapi/described.ts'

/**
 * Both pages style elements by script, and ReDoc searches in a worker created from a blob. Neither loads anything from another
 * host.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Files change only with the package's version, that is, with a deployment. */
const AN_HOUR = 'public, max-age=3600'

interface DocsFile {
  readonly name: AssetName
  readonly type: string
  readonly isRedoc?: boolean
}

const FILES: Readonly<Record<string, DocsFile>> = {
  'docs/swagger-ui.css': { name: 'swagger-ui.css', type: 'text/css; charset=utf-8' },
  'docs/swagger-ui-bundle.js': { name: 'swagger-ui-bundle.js', type: 'text/javascript; charset=utf-8' },
  'docs/favicon-32x32.png': { name: 'favicon-32x32.png', type: 'image/png' },
  'redoc/redoc.standalone.js': {
    name: 'redoc.standalone.js',
    type: 'text/javascript; charset=utf-8',
    isRedoc: true,
  },
}

const describedDocument = describeRoute({
  tag: 'Pages',
  summary: 'Get this document',
  response: v.looseObject({ openapi: v.string() }),
})

/** Loaded when they are requested: the Lambda loads little at start. */
const pages = () => import('./docs-pages.ts')

/** `/docs`, `/redoc`, their files, and `/openapi.json` of `app()`. */
export const createDocsRoutes = (assets: Assets, app: () => Hono<AppEnv>) => {
  const document = sharedRead(() => assets.openApiDocument(app()))
  const routes = new Hono<AppEnv>()
    .get('/openapi.json', describedDocument, async (c) => c.json(await document()))
    .get('/docs', describePage('Show the API in Swagger UI'), async (c) =>
      c.html((await pages()).swaggerPage, 200, { 'content-security-policy': POLICY }),
    )
    .get('/redoc', describePage('Read the API'), async (c) =>
      c.html((await pages()).redocPage, 200, { 'content-security-policy': POLICY }),
    )
    .get('/docs/', (c) => c.redirect('../docs'))
    .get('/redoc/', (c) => c.redirect('../redoc'))
    .get('/docs/init.js', async (c) =>
      c.body((await pages()).swaggerInit, 200, { 'content-type': 'text/javascript; charset=utf-8' }),
    )
  for (const [path, docsFile] of Object.entries(FILES)) {
    routes.get(`/${path}`, (c) => file(c, assets, docsFile))
  }
  return routes
}

const file = async (c: Context<AppEnv>, assets: Assets, { name, type, isRedoc }: DocsFile) => {
  const bytes = await assets.docsFile(name)
  if (bytes === undefined) throw new ZaelError('not_found', `This deployment does not carry ${name}`)
  return c.body(isRedoc ? (await pages()).offlineRedoc(bytes) : bytes, 200, {
    'content-type': type,
    'cache-control': AN_HOUR,
  })
}
