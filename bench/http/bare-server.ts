import { serve } from '@hono/node-server'
import { Hono } from 'hono'

/** The handlers that zael's routes are compared with: they parse the JSON of the request and return a fixed response. */
const responses: unknown = JSON.parse(process.env.BARE_RESPONSES ?? '{}')
if (typeof responses !== 'object' || responses === null)
  throw new Error('BARE_RESPONSES must be an object by path')

const app = new Hono()
for (const [path, response] of Object.entries(responses)) {
  app.post(path, async (c) => {
    const body: unknown = await c.req.json()
    if (typeof body !== 'object') return c.json({ error: 'no object' }, 400)
    return c.json(response)
  })
}
serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
  process.stdout.write(`API http://127.0.0.1:${port}\n`)
})
