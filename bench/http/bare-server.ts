import { serve } from '@hono/node-server'
import { Hono } from 'hono'

/** The handlers that zael's routes are held against: they parse the JSON they are sent, and answer with what they were told. */
const answers: unknown = JSON.parse(process.env.BARE_ANSWERS ?? '{}')
if (typeof answers !== 'object' || answers === null) throw new Error('BARE_ANSWERS must be an object by path')

const app = new Hono()
for (const [path, answer] of Object.entries(answers)) {
  app.post(path, async (c) => {
    const body: unknown = await c.req.json()
    if (typeof body !== 'object') return c.json({ error: 'no object' }, 400)
    return c.json(answer)
  })
}
serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
  process.stdout.write(`API http://127.0.0.1:${port}\n`)
})
