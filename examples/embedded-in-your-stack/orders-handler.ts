import { Hono } from 'hono'
import { handle } from 'hono/aws-lambda'
import { byClientIp, createRateLimiter } from 'zael'
import { dynamoDbStore } from 'zael/dynamodb'
import { rateLimit } from 'zael/hono'

const limiter = createRateLimiter({
  store: dynamoDbStore({ tableName: process.env.LIMITS_TABLE ?? '' }),
  name: 'orders',
  limits: [{ name: 'rpm', capacity: 30, refill_rate: 0.5 }],
})

const app = new Hono()
// Nothing runs after the response of a Lambda, so counts are written before it.
app.use(async (_, next) => {
  await next()
  await limiter.flush()
})
app.use(rateLimit({ limiter, key: byClientIp() }))
app.get('/', (c) => c.json({ orders: [] }))

export const handler = handle(app)
