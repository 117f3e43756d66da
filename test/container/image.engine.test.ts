import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { finishedDockerfile } from '../../scripts/bundle-service.ts'
import { freePort } from '../../scripts/emulator-process.ts'
import { demoData } from '../../seed/demo-data.ts'
import { loadDemoData } from '../../seed/load-demo-data.ts'
import { entityBucket } from '../../src/core/bucket/bucket-store.ts'
import { randomSecrets } from '../../src/platform/secrets.ts'
import { createDynamoAdminStore } from '../../src/store/dynamodb/admin/admin-store.ts'
import { createDynamoBucketStore } from '../../src/store/dynamodb/bucket-store.ts'
import { startTestTable, type TestTable, testClock } from '../engine/test-table.ts'
import { startSecretsManager } from '../lambdas/secrets-manager-fake.ts'
import { buildImage, type Image } from './dockerfile.ts'

let directory: string
let image: Image
let table: TestTable

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zael-image-'))
  image = await buildImage(directory)
  table = await startTestTable()
  const store = createDynamoAdminStore(table.client, table.tableName, testClock)
  await loadDemoData({ store, clock: testClock, secrets: randomSecrets }, demoData)
}, 120_000)

afterAll(async () => {
  await table.close()
  await rm(directory, { recursive: true, force: true })
})

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const TOKENS = { ADMIN_TOKEN: 'the-admin-of-the-test', VIEWER_TOKEN: 'the-viewer-of-the-test' }

type Environment = Readonly<Record<string, string>>

type Post = (path: string, key: string, body: unknown) => Promise<Response>

/** Runs a command of the image with its environment and working directory, and nothing of this process's environment. */
const runIn = (words: readonly string[], environment: Environment) => {
  const [program, ...args] = words
  expect(program).toBe('/nodejs/bin/node')
  const child = spawn(process.execPath, args, {
    cwd: image.pathOf(image.workdir),
    env: { ...image.environment, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  // the end of a container's first process ends all others
  child.once('exit', () => killGroup(child.pid))
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const closed = once(child, 'close')
  return { child, closed, stderr: () => stderr }
}

const killGroup = (pid: number | undefined): void => {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // it has no other process
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** A container: only its address is another than in the image, which listens on all. */
const startContainer = async (environment: Environment = TOKENS, args: readonly string[] = []) => {
  const port = String(await freePort())
  const running = runIn([...image.entryPoint, ...image.command, ...args], {
    HOST: '127.0.0.1',
    PORT: port,
    TABLE_NAME: table.tableName,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_DYNAMODB: table.endpoint,
    STORE_DEADLINE_MS: '30000',
    ...environment,
  })
  closing.push(async () => {
    running.child.kill('SIGKILL')
    await running.closed
  })
  const ready = vi.waitFor(() => expect(running.stderr()).toContain('service is ready'), {
    timeout: 60_000,
    interval: 50,
  })
  const early = running.closed.then(() => {
    throw new Error(`it ended with ${running.child.exitCode}: ${running.stderr()}`)
  })
  await Promise.race([ready, early])
  early.catch(() => {})
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    stderr: running.stderr,
    get: (path: string, token: string = TOKENS.ADMIN_TOKEN) =>
      fetch(url + path, { headers: { authorization: `Bearer ${token}` } }),
    post: (path: string, key: string, body: unknown) =>
      fetch(url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    async isHealthy() {
      const check = runIn(image.healthCheck, { PORT: port })
      await check.closed
      return check.child.exitCode === 0
    },
    async stop() {
      running.child.kill('SIGTERM')
      await running.closed
      return running.child.exitCode
    },
  }
}

const stored = (entityId: string, resource: string) =>
  createDynamoBucketStore(table.client, table.tableName).read(entityBucket(entityId, resource))

const sizeOf = (path: string): number =>
  statSync(path).isDirectory()
    ? readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0)
    : statSync(path).size

test('the Dockerfile of the package copies the finished service, and is the last stage otherwise', () => {
  const dockerfile = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8')
  const finished = finishedDockerfile(dockerfile).split('\n')
  const lastStage = dockerfile.split('\n').slice(-finished.length)
  expect(finished.filter((line) => !lastStage.includes(line))).toEqual(['COPY . ./'])
  expect(finished[0]).toMatch(/^FROM /)
  expect(finished.filter((line) => line.startsWith('FROM ') || line.startsWith('RUN '))).toHaveLength(1)
})

describe('the image', () => {
  test('listens on all addresses, runs without root, and is stopped by SIGTERM', () => {
    expect(image.environment).toMatchObject({ HOST: '0.0.0.0', PORT: '8080', NODE_ENV: 'production' })
    expect([image.user, image.port, image.stopSignal]).toEqual(['65532', '8080', 'SIGTERM'])
  })

  test('contains the bundle and nothing else, below 15 MB', () => {
    expect(readdirSync(image.root)).toEqual(['zael'])
    const names = readdirSync(image.pathOf(image.workdir))
    expect(names.filter((name) => !/^(assets|[\w-]+\.mjs(\.map)?)$/.test(name))).toEqual([])
    expect(sizeOf(image.root)).toBeLessThan(15e6)
  })
})

test('a container decides on the table, with pages, documents and metrics, and reports its health', async () => {
  const container = await startContainer()
  expect(await container.isHealthy()).toBe(true)
  const health = await fetch(`${container.url}/health`)
  expect([health.status, await health.json()]).toMatchObject([200, { status: 'ok' }])
  const check = await container.post('/v1/limits/check', 'key-alice', { resource: 'gpt-4' })
  expect([check.status, await check.json()]).toMatchObject([200, { allowed: true, degraded: false }])
  for (const path of ['/docs', '/docs/swagger-ui.css', '/redoc', '/dashboard', '/openapi.json', '/metrics']) {
    expect([path, (await container.get(path)).status]).toEqual([path, 200])
  }
  expect((await container.get('/api/entities', 'dev-admin')).status).toBe(401)
  expect(await container.stop()).toBe(0)
  expect(await container.isHealthy()).toBe(false)
})

const BUSY_KEY = 'the-busy-key-of-the-test'

/** A key of the entity `busy`, whose only limit counts requests per day. */
const createBusyKey = async ({ url, post }: { readonly url: string; readonly post: Post }): Promise<void> => {
  const { ADMIN_TOKEN: admin } = TOKENS
  expect((await post('/api/entities', admin, { entity_id: 'busy', name: 'busy' })).status).toBe(201)
  expect((await post('/api/entities/busy/keys', admin, { secret: BUSY_KEY })).status).toBe(201)
  const limits = [{ name: 'rpd', algorithm: 'fixed_window', window: 'day', limit: 100_000 }]
  const put = await fetch(`${url}/api/limits/busy`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
    body: JSON.stringify({ limits }),
  })
  expect(put.status).toBe(200)
}

/** Checks until the bucket contains more than was allowed, the chat included: the rest is leased. Returns the number of checks. */
const checkUntilLeased = async ({ post }: { readonly post: Post }): Promise<number> => {
  let allowed = 0
  for (let round = 0; round < 200; round += 1) {
    const checks = Array.from({ length: 10 }, async () => {
      const response = await post('/v1/limits/check', BUSY_KEY, { resource: 'gpt-4' })
      expect([response.status, await response.json()]).toMatchObject([200, { allowed: true }])
    })
    await Promise.all(checks)
    allowed += checks.length
    const charged = (await stored('busy', 'gpt-4'))?.rpd_n
    if (typeof charged === 'bigint' && charged > BigInt(allowed + 1)) return allowed
  }
  throw new Error('no lease was charged')
}

test('after SIGTERM, a stream in progress ends, counts are written, leases return, and it exits with 0', async () => {
  const container = await startContainer({
    ...TOKENS,
    SIMULATED_TOKENS_PER_SECOND: '10',
    // longer than the test: only the stop returns leases
    LEASE_TTL_MS: '600000',
    DEFAULT_RPM_LIMIT: 'none',
    DEFAULT_TPM_LIMIT: 'none',
  })
  await createBusyKey(container)
  // a page of the dashboard, whose stream never ends by itself
  const dashboard = await container.get('/api/dashboard/stream')
  const response = await container.post('/v1/chat/completions', BUSY_KEY, {
    model: 'gpt-4',
    max_tokens: 30,
    stream: true,
    messages: [{ role: 'user', content: 'Hello' }],
  })
  const reader = response.body?.getReader()
  await reader?.read()
  const counted = await checkUntilLeased(container)
  const stopped = container.stop()
  let text = ''
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    text += new TextDecoder().decode(part.value)
  }
  expect(text).toContain('data: [DONE]')
  expect(await stopped).toBe(0)
  await dashboard.body?.cancel().catch(() => {})
  await expect(fetch(`${container.url}/health`)).rejects.toThrow('fetch failed')
  const bucket = await stored('busy', 'gpt-4')
  expect(bucket).toMatchObject({
    used_output_tokens: 30n,
    used_requests: BigInt(counted + 1),
    rpd_n: BigInt(counted + 1),
  })
})

/** The endpoint from which the SDK reads the credentials of a task's role. */
const startRoleCredentials = async () => {
  let requests = 0
  const server = createHttpServer((_request, response) => {
    requests += 1
    response.setHeader('content-type', 'application/json').end(
      JSON.stringify({
        AccessKeyId: 'ASIAROLE',
        SecretAccessKey: 'the-secret-of-the-role',
        Token: 'a-session',
        Expiration: new Date(Date.now() + 3_600_000).toISOString(),
      }),
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('the server has no port')
  return {
    url: `http://127.0.0.1:${address.port}/role`,
    requests: () => requests,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

test('the role of the container gives the credentials, Secrets Manager the tokens, and no line of the log contains one', async () => {
  const values = { 'arn:admin': 'an-admin-secret', 'arn:viewer': 'a-viewer-secret' }
  const secretsManager = await startSecretsManager(values)
  closing.push(secretsManager.close)
  const role = await startRoleCredentials()
  closing.push(role.close)
  const container = await startContainer(
    {
      ADMIN_TOKEN_SECRET_ARN: 'arn:admin',
      VIEWER_TOKEN_SECRET_ARN: 'arn:viewer',
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.endpoint,
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
      AWS_CONTAINER_CREDENTIALS_FULL_URI: role.url,
    },
    ['--workers', '1'],
  )
  expect((await container.get('/api/entities', 'an-admin-secret')).status).toBe(200)
  expect((await container.get('/api/entities', 'a-viewer-secret')).status).toBe(200)
  expect(await container.stop()).toBe(0)
  expect(role.requests()).toBeGreaterThan(0)
  expect(container.stderr()).not.toMatch(/an-admin-secret|a-viewer-secret|the-secret-of-the-role/)
})

test.each<readonly [string, Environment, string]>([
  ['no token', {}, 'ADMIN_TOKEN or ADMIN_TOKEN_SECRET_ARN must be set'],
  [
    'a token and its secret',
    { ...TOKENS, ADMIN_TOKEN_SECRET_ARN: 'arn:admin' },
    'ADMIN_TOKEN or ADMIN_TOKEN_SECRET_ARN must be set, and not both',
  ],
  [
    'the default tokens',
    { ADMIN_TOKEN: 'dev-admin', VIEWER_TOKEN: 'dev-viewer', HOST: '0.0.0.0' },
    'HOST must be a loopback address',
  ],
  ['no table', { ...TOKENS, TABLE_NAME: '' }, 'TABLE_NAME must be set'],
  [
    'a table that does not exist',
    { ...TOKENS, TABLE_NAME: 'ZAEL-none' },
    'TABLE_NAME ZAEL-none in us-east-1 cannot be used',
  ],
  ['a directory for the embedded engine', { ...TOKENS, DATA_DIR: '/data' }, 'DATA_DIR cannot be set'],
  ['a mistaken setting', { ...TOKENS, LEASE_TTL: '1' }, 'LEASE_TTL is not a setting of zael'],
])('a container with %s ends with 1, and one line names the reason', async (_case, environment, reason) => {
  const failed = await startContainer(environment).then(
    () => '',
    (error: unknown) => String(error),
  )
  expect(failed).toContain('it ended with 1: ')
  expect(failed).toContain(reason)
  expect(failed.trimEnd().split('\n')).toHaveLength(1)
})
