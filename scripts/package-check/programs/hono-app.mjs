import { Hono } from 'hono'
import { rateLimit } from 'zael/hono'

const app = new Hono()
app.use(rateLimit({ limits: [{ name: 'rps', capacity: 1, refill_rate: 0.001 }] }))
app.get('/', (c) => c.text('home'))
const statuses = [(await app.request('/')).status, (await app.request('/')).status]
if (statuses.join() !== '200,429') throw new Error(`the second request should be denied: ${statuses}`)
