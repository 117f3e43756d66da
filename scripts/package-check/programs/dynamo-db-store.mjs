import { createRateLimiter } from 'zael'
import { dynamoDbStore } from 'zael/dynamodb'

const store = dynamoDbStore({ tableName: 'ZAEL-none', region: 'us-east-1', endpoint: 'http://127.0.0.1:9' })
const limiter = createRateLimiter({
  store,
  logger: { debug() {}, info() {}, warn() {}, error() {} },
  limits: [{ name: 'rps', capacity: 1, refill_rate: 1 }],
})
const { allowed, unavailable } = await limiter.check('203.0.113.7')
if (allowed || !unavailable) throw new Error('expected a denial as unavailable')
