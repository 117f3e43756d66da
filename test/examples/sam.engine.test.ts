import type { APIGatewayProxyEventV2 } from 'aws-lambda'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { startTestTable, type TestTable } from '../engine/test-table.ts'

let table: TestTable
beforeAll(async () => {
  table = await startTestTable()
})
afterAll(() => table.close())
afterEach(() => {
  vi.unstubAllEnvs()
  vi.resetModules()
})

/** The event of an HTTP API, reduced to what the function reads. */
const eventFrom = (sourceIp: string) =>
  ({
    version: '2.0',
    routeKey: '$default',
    rawPath: '/',
    rawQueryString: '',
    headers: {},
    requestContext: { stage: '$default', http: { method: 'GET', path: '/', sourceIp } },
    isBase64Encoded: false,
  }) as unknown as APIGatewayProxyEventV2

test('each client address may send 30 requests per minute to the function of the SAM example', async () => {
  const environment = {
    LIMITS_TABLE: table.tableName,
    AWS_ENDPOINT_URL_DYNAMODB: table.endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  }
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
  const { handler } = await import('../../examples/sam/orders-handler.ts')
  const ask = async (sourceIp: string) => (await handler(eventFrom(sourceIp), {})).statusCode
  const statuses: number[] = []
  // one token comes back every two seconds
  for (let i = 0; i < 60 && statuses.at(-1) !== 429; i++) statuses.push(await ask('198.51.100.7'))
  expect(statuses.slice(0, 30)).toEqual(Array<number>(30).fill(200))
  expect(statuses.at(-1)).toBe(429)
  expect(await ask('198.51.100.8')).toBe(200)
})
