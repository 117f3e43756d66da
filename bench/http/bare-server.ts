import { serve } from '@hono/node-server'
import { Hono } from 'hono'

/**
 * The handlers that zael's routes are compared with, by path: each parses the JSON of the request and returns a fixed JSON
 * response, with the given headers.
 */
interface BareResponse {
  readonly headers: Readonly<Record<string, string>>
  readonly body: object
}

const responses: Readonly<Record<string, BareResponse>> = JSON.parse(process.env.BARE_RESPONSES ?? '{}')

const app = new Hono()
for (const [path, { headers, body }] of Object.entries(responses)) {
  app.post(path, async (c) => {
    const sent: unknown = await c.req.json()
    if (typeof sent !== 'object') return c.json({ error: 'no object' }, 400)
    return c.json(body, 200, headers)
  })
}
serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
  process.stdout.write(`API http://127.0.0.1:${port}\n`)
})
