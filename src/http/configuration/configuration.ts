import { Hono } from 'hono'
import { configurationResponse } from '../../contract/configuration.ts'
import { DEFAULT_PER_PAGE, pageQuery } from '../../contract/fields.ts'
import type { AppEnv } from '../app-dependencies.ts'
import { query } from '../body/validated.ts'
import { describeRoute } from '../openapi/described.ts'
import type { ConfigurationNeeds } from './read-configuration.ts'

/** Everything that administrators set, in the notation of the bodies that set it, each with its ETag. */
export const createConfigurationRoutes = (needs: ConfigurationNeeds) =>
  new Hono<AppEnv>().get(
    '/',
    describeRoute({
      tag: 'Configuration',
      summary: 'List everything that administrators set',
      description:
        'Without API keys. A page may have any number of entries, or none, and still a `next_cursor`.',
      response: configurationResponse,
      errors: [400],
    }),
    query(pageQuery),
    async (c) => {
      const { limit = DEFAULT_PER_PAGE, cursor } = c.req.valid('query')
      // loaded on first use: few starts of a Lambda serve it
      const { readConfiguration } = await import('./read-configuration.ts')
      return c.json(await readConfiguration(needs, limit, cursor))
    },
  )
