import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { demoData } from '../../seed/demo-data.ts'
import { loadDemoData } from '../../seed/load-demo-data.ts'
import { entityBucket } from '../../src/core/bucket/bucket-store.ts'
import type { AuthorizerResponse } from '../../src/http/authorizer/authorize.ts'
import { randomSecrets } from '../../src/platform/secrets.ts'
import { createDynamoAdminStore } from '../../src/store/dynamodb/admin/admin-store.ts'
import { createDynamoBucketStore } from '../../src/store/dynamodb/bucket-store.ts'
import { createDynamoReservationStore } from '../../src/store/dynamodb/reservation-store.ts'
import { startTestTable, type TestTable, testClock } from '../engine/test-table.ts'
import { requestEvent } from '../http/authorizer/request-event.ts'
import { AUDIENCE, createIssuerKey, startTokenIssuer } from '../support/token-issuer.ts'

let table: TestTable

beforeAll(async () => {
  table = await startTestTable()
  const store = createDynamoAdminStore(table.client, table.tableName, testClock)
  await loadDemoData({ store, clock: testClock, secrets: randomSecrets }, demoData)
})

afterAll(() => table.close())

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  vi.resetModules()
})

/** A new Lambda in this process; its lines in the log are collected. */
const startLambda = async (options: object = {}, env: Readonly<Record<string, string>> = {}) => {
  const all = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_DYNAMODB: table.endpoint,
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    TABLE_NAME: table.tableName,
    STORE_DEADLINE_MS: '10000',
    AUTHORIZER_OPTIONS: JSON.stringify(options),
    ...env,
  }
  for (const [name, value] of Object.entries(all)) vi.stubEnv(name, value)
  const lines: string[] = []
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((line) => lines.push(String(line)) > 0)
  const { handler } = await import('../../lambdas/authorizer.ts')
  const as = (key: string): Promise<AuthorizerResponse> =>
    handler(requestEvent({ headers: { Authorization: `Bearer ${key}` } }))
  return { as, lines }
}

const effectOf = ({ policyDocument }: AuthorizerResponse) => policyDocument.Statement[0].Effect

const bucketOf = (entityId: string, resource = '_default_') =>
  createDynamoBucketStore(table.client, table.tableName).read(entityBucket(entityId, resource))

test('the authorizer allows as many requests as the limit of the table, and counts them before it returns', async () => {
  const { as } = await startLambda()
  for (let i = 0; i < 10; i++) expect(effectOf(await as('key-bob'))).toBe('Allow')
  const denied = await as('key-bob')
  expect([effectOf(denied), denied.context]).toMatchObject([
    'Deny',
    { entityId: 'key-bob', limitName: 'rpm', capacity: '10', retryAfter: expect.stringMatching(/^[1-6]$/) },
  ])
  expect(await bucketOf('key-bob')).toMatchObject({ used_requests: 10n })
})

test('another environment continues where the first one stopped', async () => {
  const options = { resource: 'gpt-4', cost: { requests: 4 } }
  expect(effectOf(await (await startLambda(options)).as('key-bob'))).toBe('Allow')
  vi.resetModules()
  const second = await startLambda(options)
  expect(effectOf(await second.as('key-bob'))).toBe('Allow')
  expect(effectOf(await second.as('key-bob'))).toBe('Deny')
})

test('the authorizer stores a reservation that any process settles', async () => {
  const { as } = await startLambda({ settles: true, cost: { requests: 1, tokens: 500 } })
  const { context } = await as('key-charlie')
  const id = 'reservationId' in context ? (context.reservationId ?? '') : ''
  expect(await bucketOf('key-charlie')).not.toHaveProperty('used_requests')
  const reservations = createDynamoReservationStore(table.client, table.tableName)
  const closing = {
    id,
    ownerId: 'key-charlie',
    as: 'settled',
    now: testClock.now(),
    closedBy: 'test',
  } as const
  expect(await reservations.close(closing)).toMatchObject({
    outcome: 'closed',
    reservation: { charges: { reserved: { requests: 1, tokens: 500 } } },
  })
})

test('tokens of configured issuers are accepted in place of keys', async () => {
  const key = await createIssuerKey('key-1')
  const issuer = await startTokenIssuer([key])
  const configured = [
    { name: 'corp', issuer: issuer.origin, audience: AUDIENCE, jwks_uri: `${issuer.origin}/keys` },
  ]
  const { as } = await startLambda({ settles: true }, { JWT_ISSUERS: JSON.stringify(configured) })
  const now = Math.floor(Date.now() / 1000)
  const allowed = await as(await issuer.sign(key, { iat: now, exp: now + 60 }))
  expect(allowed.context).toMatchObject({ entityId: 'jwt:corp:alice', reservationId: expect.any(String) })
  await expect(as(await issuer.sign(key, { exp: now - 60 }))).rejects.toThrow(/^Unauthorized$/)
})

test('bad credentials are an error of exactly the message that API Gateway turns into 401', async () => {
  const { as, lines } = await startLambda()
  const error: unknown = await as('not-a-key').catch((thrown: unknown) => thrown)
  expect(error).toEqual(new Error('Unauthorized'))
  expect(Reflect.get(Object(error), 'stack')).toBe('Error: Unauthorized')
  expect(lines.join('')).toContain('"authentication_failures":1')
  expect(lines.join('')).not.toContain('not-a-key')
})

test('a table that cannot be reached is another error, with a line in the log', async () => {
  const nowhere = { AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:9', STORE_DEADLINE_MS: '200' }
  const { as, lines } = await startLambda({}, nowhere)
  await expect(as('key-alice')).rejects.toThrow(/^(?!Unauthorized$)/)
  expect(lines.join('')).toContain('request not authorized')
})

test.each([
  ['{"cost":{"requests":-1}}', 'cost.requests must be a whole number of at least 0'],
  ['{"resource":"_total_"}', 'resource must be 1 to 128'],
  ['{"route_costs":{"orders":{}}}', 'be a method and the path of a resource, such as POST /orders/{id}'],
  ['{"surprise":1}', 'surprise must not be given'],
  ['{', 'AUTHORIZER_OPTIONS must be JSON'],
])('does not start with the options %s', async (text, message) => {
  await expect(startLambda({}, { AUTHORIZER_OPTIONS: text })).rejects.toThrow(message)
})
