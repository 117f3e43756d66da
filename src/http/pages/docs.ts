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

/** A picture beside ReDoc's name, which its script would load from another host. */
const PICTURE = 'https://cdn.redoc.ly/redoc/logo-mini.svg'

const NO_PICTURE = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E"

/** ReDoc's script without its picture, so that the page is complete without internet access. */
const offlineRedoc = (script: Uint8Array): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(new TextDecoder().decode(script).replaceAll(PICTURE, NO_PICTURE))

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

const describedDocument = describeRoute({
  tag: 'Pages',
  summary: 'Get this document',
  response: v.looseObject({ openapi: v.string() }),
})

/** `/docs`, `/redoc`, their files, and `/openapi.json` of `app()`. */
export const createDocsRoutes = (assets: Assets, app: () => Hono<AppEnv>) => {
  const document = sharedRead(() => assets.openApiDocument(app()))
  const routes = new Hono<AppEnv>()
    .get('/openapi.json', describedDocument, async (c) => c.json(await document()))
    .get('/docs', describePage('Show the API in Swagger UI'), (c) =>
      c.html(swaggerPage, 200, { 'content-security-policy': POLICY }),
    )
    .get('/redoc', describePage('Read the API'), (c) =>
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
  const bytes = await assets.docsFile(name)
  if (bytes === undefined) throw new ZaelError('not_found', `This deployment does not carry ${name}`)
  return c.body(change?.(bytes) ?? bytes, 200, { 'content-type': type, 'cache-control': AN_HOUR })
}

/** Swagger UI, with its files. Addresses are relative, so that the page works below a stage. */
const swaggerPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>zael: API</title>
<link rel="icon" href="./docs/favicon-32x32.png">
<link rel="stylesheet" href="./docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="./docs/swagger-ui-bundle.js"></script>
<script src="./docs/init.js"></script>
</body>
</html>
`

/** No inline script: the page's policy forbids them. */
const swaggerInit = `SwaggerUIBundle({ url: './openapi.json', dom_id: '#swagger-ui', deepLinking: true, persistAuthorization: false })
`

/** ReDoc, with its file. */
const redocPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>zael: API</title>
<link rel="icon" href="./docs/favicon-32x32.png">
</head>
<body>
<redoc spec-url="./openapi.json"></redoc>
<script src="./redoc/redoc.standalone.js"></script>
</body>
</html>
`
