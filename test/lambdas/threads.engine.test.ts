import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { API_SOURCE, bundleLambda } from '../../lib/bundle-lambda.ts'
import { parseLimits } from '../../src/contract/limits.ts'
import { createEntityService } from '../../src/core/admin/entities.ts'
import { createKeyService } from '../../src/core/admin/keys.ts'
import { createLimitSetService } from '../../src/core/admin/limits.ts'
import { entityBucket } from '../../src/core/bucket/bucket-store.ts'
import { silentLogger } from '../../src/core/ports/platform.ts'
import { randomSecrets } from '../../src/platform/secrets.ts'
import { createDynamoAdminStore } from '../../src/store/dynamodb/admin/admin-store.ts'
import { createDynamoBucketStore } from '../../src/store/dynamodb/bucket-store.ts'
import { startTestTable, type TestTable, testClock } from '../engine/test-table.ts'
import { type FakeSecretsManager, startSecretsManager } from './secrets-manager-fake.ts'

const THREADS = 3

/** Admitted once per day, by all threads together. */
const LIMIT = 300

const KEYS = ['a-key-of-the-first-team', 'a-key-of-the-second-team'] as const

interface Reply {
  readonly statusCode: number
  readonly body: string
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>>
}

interface Thread {
  invoke(key: string): Promise<Reply>
}

let directory: string
let table: TestTable
let secretsManager: FakeSecretsManager
const workers: Worker[] = []
let threads: readonly Thread[]

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zael-threads-'))
  bundleLambda(API_SOURCE, directory)
  table = await startTestTable()
  secretsManager = await startSecretsManager({ 'arn:admin': 'the-admin', 'arn:viewer': 'the-viewer' })
  await createTeams()
  threads = await Promise.all(Array.from({ length: THREADS }, startThread))
}, 120_000)

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.terminate()))
  await secretsManager.close()
  await table.close()
  await rm(directory, { recursive: true, force: true })
})

/** Two keys, `team-1` and `team-2`, below one parent with the limit. */
const createTeams = async (): Promise<void> => {
  const store = createDynamoAdminStore(table.client, table.tableName, testClock)
  const deps = { store, clock: testClock, secrets: randomSecrets, logger: silentLogger, changed: () => {} }
  const entities = createEntityService(deps)
  await entities.create({ id: 'company', name: 'company' }, 'test')
  for (const [index, secret] of KEYS.entries()) {
    const id = `team-${index + 1}`
    await entities.create({ id, name: id, parentId: 'company' }, 'test')
    await createKeyService(deps).create(id, { name: 'test', secret }, 'test')
  }
  const perDay = { name: 'rpd', algorithm: 'fixed_window', window: 'day', limit: LIMIT }
  await createLimitSetService(deps).ensure(
    { owner: { kind: 'entity', id: 'company' }, resource: '_default_' },
    parseLimits([perDay], 'limits'),
    'test',
  )
}

const startThread = async (): Promise<Thread> => {
  const worker = new Worker(new URL('./api-thread.mjs', import.meta.url), {
    workerData: pathToFileURL(join(directory, 'index.mjs')).href,
    stdout: true,
    env: {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL_DYNAMODB: table.endpoint,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.endpoint,
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      LOG_LEVEL: 'silent',
      NODE_ID: 'env',
      TABLE_NAME: table.tableName,
      ADMIN_TOKEN_SECRET_ARN: 'arn:admin',
      VIEWER_TOKEN_SECRET_ARN: 'arn:viewer',
      STORE_DEADLINE_MS: '30000',
      DEFAULT_RPM_LIMIT: 'none',
      DEFAULT_TPM_LIMIT: 'none',
      RESPONSE_STREAMING: 'false',
      MANAGED_INSTANCES: 'true',
    },
  })
  workers.push(worker)
  const waiting = new Map<number, (reply: Reply) => void>()
  worker.on('message', ({ id, response }) => waiting.get(id)?.(response))
  await once(worker, 'message')
  let last = 0
  return {
    invoke: (key) =>
      new Promise((resolve) => {
        const id = ++last
        waiting.set(id, resolve)
        worker.postMessage({ id, event: checkBy(key) })
      }),
  }
}

/** The event of a REST API for `POST /v1/limits/check`. */
const checkBy = (key: string) => {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', host: 'api.example' }
  return {
    httpMethod: 'POST',
    path: '/v1/limits/check',
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    requestContext: { stage: 'prod', path: '/prod/v1/limits/check', identity: { sourceIp: '192.0.2.1' } },
    isBase64Encoded: false,
    body: JSON.stringify({ resource: 'reports' }),
  }
}

const stored = (entityId: string) =>
  createDynamoBucketStore(table.client, table.tableName).read(entityBucket(entityId, '_other_'))

/** Each thread serves several requests of both keys at a time, one round after another. */
const runRounds = async (rounds: number): Promise<readonly (Reply & { readonly key: string })[]> => {
  const replies: (Reply & { readonly key: string })[] = []
  for (let round = 0; round < rounds; round += 1) {
    const asked = threads.flatMap((thread) =>
      [...KEYS, ...KEYS].map(async (key) => ({ ...(await thread.invoke(key)), key })),
    )
    replies.push(...(await Promise.all(asked)))
  }
  return replies
}

const countOf = (replies: readonly Reply[]): number =>
  replies.filter(({ statusCode }) => statusCode === 200).length

test('threads of one environment share the limit through the table, each with its own leases and name', async () => {
  const replies = await runRounds(40)
  expect(replies.filter(({ statusCode }) => statusCode !== 200 && statusCode !== 429)).toEqual([])
  const allowed = replies.filter(({ statusCode }) => statusCode === 200)
  expect(allowed.length).toBeLessThanOrEqual(LIMIT)
  expect(replies.length - allowed.length).toBeGreaterThan(0)

  const nodes = new Set(replies.flatMap(({ multiValueHeaders }) => multiValueHeaders?.['x-zael-node'] ?? []))
  expect(nodes.size).toBe(THREADS)
  for (const node of nodes) expect(node).toMatch(/^env\/[1-9]\d*$/)

  // without a further request, leases return and counts are written
  await vi.waitFor(
    async () => {
      const bucket = await stored('company')
      expect(bucket).toMatchObject({ rpd_n: BigInt(allowed.length), used_requests: BigInt(allowed.length) })
      for (const [index, key] of KEYS.entries()) {
        const own = allowed.filter((reply) => reply.key === key).length
        expect(await stored(`team-${index + 1}`)).toMatchObject({ used_requests: BigInt(own) })
      }
    },
    { timeout: 60_000, interval: 100 },
  )
  // leases and shared writes: fewer writes than decisions
  const { rev } = (await stored('company')) ?? {}
  expect(Number(rev)).toBeLessThan(replies.length / 2)

  // what other threads had leased is available again, once they no longer repeat a denial from memory
  let total = allowed.length
  await vi.waitFor(
    async () => {
      total += countOf(await runRounds(1))
      expect(total).toBe(LIMIT)
    },
    { timeout: 60_000, interval: 100 },
  )
  expect(countOf(await runRounds(5))).toBe(0)
})
