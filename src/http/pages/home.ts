import { Hono } from 'hono'
import type { AppEnv } from '../app-dependencies.ts'
import { describePage } from '../openapi/described.ts'

/** The home page, loaded when it is requested: the Lambda loads little at start. */
export const createHomeRoutes = () =>
  new Hono<AppEnv>().get('/', describePage('Show the home page'), async (c) => {
    const { homePage } = await import('./home-page.ts')
    return c.html(homePage(linksOf(c.env)))
  })

/** The prefix of links: `.`, or `rootLinks`, which the Lambda's adapter sets if the URL is a base path without a slash. */
const linksOf = (env: unknown): string => {
  const isSet = typeof env === 'object' && env !== null && 'rootLinks' in env
  return isSet && typeof env.rootLinks === 'string' ? env.rootLinks : '.'
}
