import { type Context, Hono } from 'hono'
import * as v from 'valibot'
import { ZaelError } from '../../core/model/errors.ts'
import type { AppEnv, AssetName, Assets } from '../app-dependencies.ts'
import { described, describedPage } from './described.ts'
import { offlineRedoc, redocPage, swaggerInit, swaggerPage } from './docs-pages.ts'
import { once } from './once.ts'

/**
 * Both pages style elements from script, ReDoc searches in a worker made from a blob; neither takes anything from
 * another host.
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

/** Files are known by the package's version, which a deployment changes. */
const AN_HOUR = 'public, max-age=3600'

interface DocsFile {
  readonly name: AssetName
  readonly type: string
  readonly change?: (bytes: Uint8Array) => Uint8Array<ArrayBuffer>
}

const FILES: Readonly<Record<string, DocsFile>> = {
  'docs/swagger-ui.css': { name: 'swagger-ui.css', type: 'text/css; charset=utf-8' },
  'docs/swagger-ui-bundle.js': { name: 'swagger-ui-bundle.js', type: 'text/javascript; charset=utf-8' },
  'docs/favicon-32x32.png': { name: 'favicon-32x32.png', type: 'image/png' },
  'redoc/redoc.standalone.js': {
    name: 'redoc.standalone.js',
    type: 'text/javascript; charset=utf-8',
    change: offlineRedoc,
  },
}

const describedDocument = described({
  tag: 'Pages',
  summary: 'Get this document',
  answer: v.looseObject({ openapi: v.string() }),
  isOpen: true,
})

/** `/docs`, `/redoc`, their files, and `/openapi.json` of `app()`. */
export const createDocsRoutes = (assets: Assets, app: () => Hono<AppEnv>) => {
  const document = once(() => assets.openApiDocument(app()))
  const routes = new Hono<AppEnv>()
    .get('/openapi.json', describedDocument, async (c) => c.json(await document()))
    .get('/docs', describedPage('Read the API, and try it'), (c) =>
      c.html(swaggerPage, 200, { 'content-security-policy': POLICY }),
    )
    .get('/redoc', describedPage('Read the API'), (c) =>
      c.html(redocPage, 200, { 'content-security-policy': POLICY }),
    )
    .get('/docs/', (c) => c.redirect('../docs'))
    .get('/redoc/', (c) => c.redirect('../redoc'))
    .get('/docs/init.js', (c) =>
      c.body(swaggerInit, 200, { 'content-type': 'text/javascript; charset=utf-8' }),
    )
  for (const [path, docsFile] of Object.entries(FILES)) {
    routes.get(`/${path}`, (c) => file(c, assets, docsFile))
  }
  return routes
}

const file = async (c: Context<AppEnv>, assets: Assets, { name, type, change }: DocsFile) => {
  const bytes = await assets.read(name)
  if (bytes === undefined) throw new ZaelError('not_found', `This deployment does not carry ${name}`)
  return c.body(change?.(bytes) ?? bytes, 200, { 'content-type': type, 'cache-control': AN_HOUR })
}
