import type { APIGatewayProxyEventV2 } from 'aws-lambda'
import { dynamoDbStore } from 'zael/dynamodb'
import { withRateLimit } from 'zael/lambda'

// The first call of a Lambda opens a connection with a share of a CPU: more than the default deadline of 250 ms may pass.
const store = dynamoDbStore({ tableName: process.env.LIMITS_TABLE ?? '', deadlineMs: 1_000 })

/** Each client address may send 30 requests per minute. */
export const handler = withRateLimit(
  { store, name: 'orders', limits: [{ name: 'rpm', limit: 30, per: 'minute' }] },
  async (_event: APIGatewayProxyEventV2) => ({
    statusCode: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ orders: [] }),
  }),
)
