import { type Context, Hono } from 'hono'
import { shortened, ZaelError } from '../../core/model/errors.ts'
import type { AppEnv, Assets } from '../app-dependencies.ts'
import { describePage } from '../openapi/described.ts'

/** The page has no inline script or style, and loads nothing from other hosts. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** A file's name contains a hash of its content. */
const FOR_EVER = 'public, max-age=31536000, immutable'

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
}

const NAME = /^[a-z]+-[A-Z0-9]{8}\.(js|css)$/

/** `/dashboard` and its files. They are open to all: the data that it shows needs a token. */
export const createDashboardFileRoutes = (assets: Pick<Assets, 'dashboardFile'>) =>
  new Hono<AppEnv>()
    .get('/dashboard', describePage('Show the dashboard'), (c) =>
      file(c, assets, 'index.html', {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': POLICY,
        'cache-control': 'no-cache',
      }),
    )
    .get('/dashboard/', (c) => c.redirect('../dashboard'))
    .get('/dashboard/:name', (c) => {
      const name = c.req.param('name')
      const type = TYPES[NAME.exec(name)?.[1] ?? '']
      if (type === undefined) throw missing(name)
      return file(c, assets, name, { 'content-type': type, 'cache-control': FOR_EVER })
    })

/** Compressed when it was built. */
const file = async (
  c: Context<AppEnv>,
  assets: Pick<Assets, 'dashboardFile'>,
  name: string,
  headers: Readonly<Record<string, string>>,
) => {
  const isGzip = /\bgzip\b/.test(c.req.header('accept-encoding') ?? '')
  const bytes = await assets.dashboardFile(isGzip ? `${name}.gz` : name)
  if (bytes === undefined) throw missing(name)
  return c.body(bytes, 200, {
    ...headers,
    vary: 'accept-encoding',
    ...(isGzip && { 'content-encoding': 'gzip' }),
  })
}

const missing = (name: string) => new ZaelError('not_found', `The dashboard has no file ${shortened(name)}`)
