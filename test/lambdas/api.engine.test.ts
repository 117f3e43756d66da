import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { API_SOURCE, bundleLambda } from '../../lib/bundle-lambda.ts'
import { demoData } from '../../seed/demo-data.ts'
import { loadDemoData } from '../../seed/load-demo-data.ts'
import { entityBucket, policyBucket } from '../../src/core/bucket/bucket-store.ts'
import { randomSecrets } from '../../src/platform/secrets.ts'
import { createDynamoAdminStore } from '../../src/store/dynamodb/admin/admin-store.ts'
import { createDynamoBucketStore } from '../../src/store/dynamodb/bucket-store.ts'
import { startTestTable, type TestTable, testClock } from '../engine/test-table.ts'
import { aChunk, DONE, events, LAST_CHUNK, startUpstream } from '../gateway/scripted-upstream.ts'
import { type FakeSecretsManager, startSecretsManager } from './secrets-manager-fake.ts'

let table: TestTable
let secretsManager: FakeSecretsManager

beforeAll(async () => {
  table = await startTestTable()
  secretsManager = await startSecretsManager({ 'arn:admin': 'the-admin', 'arn:viewer': 'the-viewer' })
  const store = createDynamoAdminStore(table.client, table.tableName, testClock)
  await loadDemoData({ store, clock: testClock, secrets: randomSecrets }, demoData)
})

afterAll(async () => {
  await secretsManager.close()
  await table.close()
})

afterEach(() => {
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
  vi.resetModules()
})

/** A new Lambda in this process, from its source or a bundle; its logs are kept out of the tests' output. */
const startLambda = async (env: Readonly<Record<string, string>>, source = '../../lambdas/api.ts') => {
  const all = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_DYNAMODB: table.endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.endpoint,
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    LOG_LEVEL: 'silent',
    TABLE_NAME: table.tableName,
    ADMIN_TOKEN_SECRET_ARN: 'arn:admin',
    VIEWER_TOKEN_SECRET_ARN: 'arn:viewer',
    STORE_DEADLINE_MS: '10000',
    ...env,
  }
  for (const [name, value] of Object.entries(all)) vi.stubEnv(name, value)
  vi.spyOn(process.stdout, 'write').mockImplementation(() => true)
  // biome-ignore lint/suspicious/noExplicitAny: each test calls the handler type of its environment
  const { handler }: { handler: any } = await import(source)
  return handler
}

/** The event of a REST API. */
const event = (method: string, path: string, token: string, body?: unknown) => ({
  httpMethod: method,
  path,
  headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', host: 'api.example' },
  multiValueHeaders: {
    authorization: [`Bearer ${token}`],
    'content-type': ['application/json'],
    host: ['api.example'],
  },
  requestContext: { stage: 'prod', path: `/prod${path}`, identity: { sourceIp: '192.0.2.1' } },
  isBase64Encoded: false,
  body: body === undefined ? null : JSON.stringify(body),
})

/** The same event behind a custom domain with a base path. */
const below = (basePath: string, method: string, path: string, token = 'none') => ({
  ...event(method, `/${basePath}${path}`, token),
  resource: path === '' ? '/' : '/{proxy+}',
  pathParameters: path === '' ? null : { proxy: path.slice(1) },
  requestContext: { stage: 'prod', path: `/${basePath}${path}`, identity: { sourceIp: '192.0.2.1' } },
})

/** The context of an invocation. */
const INVOCATION = { getRemainingTimeInMillis: () => 30_000 }

const CHAT = { model: 'gpt-4', max_tokens: 4, messages: [{ role: 'user', content: 'Hello' }] }

const bucketOf = (entityId: string) =>
  createDynamoBucketStore(table.client, table.tableName).read(entityBucket(entityId, 'gpt-4'))

const usedBy = async (entityId: string): Promise<unknown> => (await bucketOf(entityId))?.used_output_tokens

test('the Lambda returns whole responses if the API does not stream, with the tokens of Secrets Manager', async () => {
  const handler = await startLambda({ RESPONSE_STREAMING: 'false' })
  const chat = await handler(event('POST', '/v1/chat/completions', 'key-bob', CHAT), INVOCATION)
  expect(chat.statusCode).toBe(200)
  expect(JSON.parse(chat.body).usage.completion_tokens).toBe(4)
  expect(await usedBy('key-bob')).toBe(4n)

  const listed = await handler(event('GET', '/api/entities', 'the-admin'), INVOCATION)
  expect([listed.statusCode, listed.isBase64Encoded]).toEqual([200, false])
  expect((await handler(event('GET', '/api/entities', 'dev-admin'), INVOCATION)).statusCode).toBe(401)
  expect((await handler(event('POST', '/api/entities', 'the-viewer', {}), INVOCATION)).statusCode).toBe(403)
})

test('the Lambda checks policies for a gateway, and addresses a policy by its path', async () => {
  const handler = await startLambda({ RESPONSE_STREAMING: 'false' })
  const body = { userId: 'ent-user-1', modelId: 'gpt-4o', tenantId: 'enterprise_co', modelTier: 'premium' }
  const response = await handler(event('POST', '/rate-limit/check', 'the-admin', body), INVOCATION)
  expect([response.statusCode, JSON.parse(response.body)]).toMatchObject([
    200,
    { allowed: true, primary: { label: 'TENANT enterprise_co', count: 1, limit: 500 } },
  ])
  const buckets = createDynamoBucketStore(table.client, table.tableName)
  const bucket = await buckets.read(policyBucket({ scope: 'TENANT', selector: 'enterprise_co' }))
  expect(bucket).toMatchObject({ rph_n: 1n })
  const policy = await handler(event('GET', '/api/policies/GLOBAL/*', 'the-viewer'), INVOCATION)
  expect([policy.statusCode, JSON.parse(policy.body).label]).toEqual([200, 'GLOBAL *'])
})

test('the Lambda reserves in one environment, settles in another, and counts before it returns', async () => {
  const outgoing = { resource: 'gpt-4', cost: { output_tokens: 40 }, reserve: true, idempotency_key: 'job' }
  const reserve = async () => {
    const handler = await startLambda({ RESPONSE_STREAMING: 'false' })
    return handler(event('POST', '/v1/limits/check', 'key-charlie', outgoing), INVOCATION)
  }
  const reserved = await reserve()
  expect(reserved.statusCode).toBe(200)
  expect(await usedBy('key-charlie')).toBeUndefined()
  vi.resetModules()
  expect(JSON.parse((await reserve()).body)).toEqual(JSON.parse(reserved.body))
  vi.resetModules()
  const handler = await startLambda({ RESPONSE_STREAMING: 'false' })
  const { reservation_id } = JSON.parse(reserved.body)
  const settle = event('POST', '/v1/limits/settle', 'key-charlie', { reservation_id, cost: {} })
  expect(JSON.parse((await handler(settle, INVOCATION)).body)).toMatchObject({ settled: true })
  expect(await usedBy('key-charlie')).toBe(40n)
})

test('the Lambda serves the base path of a custom domain: routes, documentation and page, with links below it', async () => {
  const handler = await startLambda({ RESPONSE_STREAMING: 'false' })
  const get = async (path: string) => {
    const { statusCode, body, multiValueHeaders } = await handler(below('limits', 'GET', path), INVOCATION)
    return { status: statusCode, body: String(body), location: multiValueHeaders.location }
  }
  expect(await get('/health')).toMatchObject({ status: 200 })
  expect(await get('/docs')).toMatchObject({ status: 200, body: expect.stringContaining('"./docs/init.js"') })
  expect(await get('/docs/init.js')).toMatchObject({
    status: 200,
    body: expect.stringContaining("'./openapi.json'"),
  })
  expect(await get('/docs/')).toMatchObject({ status: 302, location: ['../docs'] })
  expect(JSON.parse((await get('/openapi.json')).body).servers).toMatchObject([{ url: './' }])
  expect(await get('')).toMatchObject({
    status: 200,
    body: expect.stringContaining('href="/limits/dashboard"'),
  })
})

describe('the bundle, deployed below a base path of two segments', () => {
  const BASE = 'platform/limits'
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'zael-base-path-'))
    bundleLambda(API_SOURCE, directory)
  })
  afterAll(() => rm(directory, { recursive: true, force: true }))

  test.each(['', '/docs', '/redoc', '/dashboard'])(
    'serves the page %s, and every file that it loads',
    async (page) => {
      const handler = await startLambda({ RESPONSE_STREAMING: 'false' }, join(directory, 'index.mjs'))
      const get = async (url: URL) => {
        const prefix = `/${BASE}`
        expect(url.pathname.startsWith(prefix)).toBe(true)
        const { statusCode, body } = await handler(
          below(BASE, 'GET', url.pathname.slice(prefix.length), 'the-admin'),
          INVOCATION,
        )
        return { status: statusCode, body: String(body) }
      }
      const address = new URL(`https://api.example/${BASE}${page}`)
      const { status, body } = await get(address)
      expect(status).toBe(200)
      const links = [...body.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, link = '']) => link)
      const files = links
        .filter((link) => !/^(data|https?):/.test(link))
        .map((link) => new URL(link, address))
      expect(files.length).toBeGreaterThan(0)
      expect(await Promise.all(files.map(async (file) => (await get(file)).status))).toEqual(
        files.map(() => 200),
      )
    },
  )
})

const streamingLambda = (env: Readonly<Record<string, string>> = {}) => {
  vi.stubGlobal('awslambda', {
    streamifyResponse: (handler: unknown) => handler,
    HttpResponseStream: {
      from: (stream: Writable, metadata: unknown) => Object.assign(stream, { metadata }),
    },
  })
  return startLambda({ RESPONSE_STREAMING: 'true', ...env })
}

test('the Lambda settles sent tokens before it resolves, if the client disconnects after the first chunk', async () => {
  const handler = await streamingLambda()
  let chunks = 0
  const stream = new Writable({
    write(_chunk, _encoding, done) {
      chunks += 1
      done()
      this.destroy()
    },
  })
  const long = { ...CHAT, max_tokens: 400, stream: true }
  await handler(event('POST', '/v1/chat/completions', 'free-co-key', long), stream, INVOCATION)
  expect(chunks).toBe(1)
  const { used_requests: requests, used_tokens: tokens } = (await bucketOf('free-co-key')) ?? {}
  expect(requests).toBe(1n)
  expect(tokens).toBeGreaterThan(0n)
  expect(tokens).toBeLessThan(400n)
})

test('the Lambda streams if the API does: status and headers first, and use is counted before the end', async () => {
  const handler = await streamingLambda()
  const chunks: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk))
      done()
    },
  })
  await handler(
    event('POST', '/v1/chat/completions', 'key-alice', { ...CHAT, stream: true }),
    stream,
    INVOCATION,
  )
  expect(stream).toMatchObject({
    metadata: { statusCode: 200, headers: { 'x-ratelimit-limit': '30' } },
  })
  expect(chunks.length).toBeGreaterThan(3)
  expect(chunks.join('').trimEnd()).toMatch(/data: \[DONE\]$/)
  expect(await usedBy('key-alice')).toBe(4n)
})

/** What the client receives until its end, or until it disconnects after `chunks` chunks. */
const receiver = (chunks = Number.POSITIVE_INFINITY) => {
  const received: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      received.push(String(chunk))
      done()
      if (received.length >= chunks) this.destroy()
    },
  })
  return { stream, text: () => received.join('') }
}

const STREAMED_CHAT = event('POST', '/v1/chat/completions', 'key-charlie', { ...CHAT, stream: true })

test('the Lambda forwards the stream of an upstream as it came', async () => {
  const upstream = await startUpstream(events(': hello\n\n', aChunk('Hi'), LAST_CHUNK, DONE))
  const handler = await streamingLambda({ UPSTREAM_BASE_URL: upstream.baseUrl })
  const { stream, text } = receiver()
  await handler(STREAMED_CHAT, stream, INVOCATION)
  expect(stream).toMatchObject({
    metadata: { statusCode: 200, headers: { 'x-zael-upstream': 'default' } },
  })
  expect(text()).toBe(`: hello\n\n${aChunk('Hi')}${LAST_CHUNK}${DONE}`)
})

test('the Lambda ends the call to an upstream when the client disconnects, and before its own time is over', async () => {
  const closed: Promise<unknown>[] = []
  const upstream = await startUpstream((_, response) => {
    closed.push(once(response, 'close'))
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(aChunk('Hi'))
  })
  const handler = await streamingLambda({ UPSTREAM_BASE_URL: upstream.baseUrl })
  await handler(STREAMED_CHAT, receiver(1).stream, INVOCATION)
  await closed[0]
  const { stream, text } = receiver()
  await handler(STREAMED_CHAT, stream, { getRemainingTimeInMillis: () => 5_500 })
  await closed[1]
  expect(text()).toContain('"code":"upstream_timeout"')
})

test('the Lambda returns whole responses if it should stream but is called without a response stream', async () => {
  const handler = await startLambda({ RESPONSE_STREAMING: 'true' })
  expect((await handler(event('GET', '/health', 'none'), INVOCATION)).statusCode).toBe(200)
})

test('the Lambda returns not ready if the tokens cannot be read', async () => {
  const handler = await startLambda({ ADMIN_TOKEN_SECRET_ARN: 'arn:missing' })
  const response = await handler(event('GET', '/health', 'none'), INVOCATION)
  expect([response.statusCode, JSON.parse(response.body).error]).toEqual([503, 'unavailable'])
})
