import { bodyText, byClaim, perRecord, RejectedError, withRateLimit } from 'zael/lambda'

const options = { limits: [{ name: 'rps', capacity: 1, refill_rate: 0.001 }], key: byClaim('sub') }
const claims = { sub: 'user-1' }
const handler = withRateLimit(options, async (event) => ({ statusCode: 200, body: bodyText(event) ?? '' }))
const event = { httpMethod: 'GET', path: '/', requestContext: { authorizer: { claims } }, body: 'hello' }
const statuses = [(await handler({ ...event }, {})).statusCode, (await handler({ ...event }, {})).statusCode]
if (statuses.join() !== '200,429') throw new Error(`the second request should be denied: ${statuses}`)

const resolver = withRateLimit(options, async () => 1)
const query = { info: { fieldName: 'orders', parentTypeName: 'Query' }, identity: { claims } }
await resolver(query, {})
const error = await resolver(query, {}).catch((thrown) => thrown)
if (!(error instanceof RejectedError)) throw new Error(`the second query should be denied: ${error}`)

// @aws-sdk/client-sqs is not installed: a denied message goes back undelayed
const logged = []
const logger = { debug() {}, info() {}, warn: (message) => logged.push(message), error() {} }
const queue = withRateLimit(
  { limits: options.limits, logger },
  perRecord(async () => {}),
)
const record = (messageId) => ({
  messageId,
  receiptHandle: messageId,
  eventSource: 'aws:sqs',
  eventSourceARN: 'arn:aws:sqs:eu-central-1:123456789012:orders',
})
const { batchItemFailures } = await queue({ Records: [record('a'), record('b')] }, {})
if (batchItemFailures[0]?.itemIdentifier !== 'b') throw new Error('the second message should go back')
if (!logged.includes('visibility not changed')) throw new Error(`a line should be logged: ${logged}`)
