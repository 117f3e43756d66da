import { once } from 'node:events'
import express from 'express'
import { rateLimit } from 'zael/express'

const app = express()
app.use(rateLimit({ limits: [{ name: 'rps', capacity: 1, refill_rate: 0.001 }] }))
app.get('/', (_, response) => response.send('home'))
const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${server.address().port}/`
const statuses = [(await fetch(url)).status, (await fetch(url)).status]
server.closeAllConnections()
server.close()
if (statuses.join() !== '200,429') throw new Error(`the second request should be denied: ${statuses}`)
