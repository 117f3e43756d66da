import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import { afterEach, expect, test } from 'vitest'
import { type RunningServer, startServer } from '../../../bin/serve/start-server.ts'
import { StartError } from '../../../src/command-line/failure.ts'
import { silentLogger } from '../../../src/core/ports/platform.ts'
import { readSettings } from '../../../src/settings/read-settings.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const SECRET = 'sk-prod-4f8a77c1e09d'
const ENTITY = 'file-4749769a'

const keysFile = async (yaml: string): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'zael-keys-'))
  closing.push(() => rm(directory, { recursive: true, force: true }))
  const path = join(directory, 'keys.yaml')
  await writeFile(path, yaml)
  return path
}

const start = async (environment: Readonly<Record<string, string>>): Promise<RunningServer> => {
  const server = await startServer({
    settings: readSettings({ PORT: '0', DYNAMODB_PORT: '0', STORE_DEADLINE_MS: '30000', ...environment }),
    environment: {},
    version: '0.0.0',
    logger: silentLogger,
    onFailure: (error) => {
      throw error
    },
  })
  closing.push(server.stop)
  return server
}

const chat = async ({ apiUrl }: RunningServer, key: string) => {
  const response = await fetch(`${apiUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] }),
  })
  await response.text()
  return { status: response.status, node: response.headers.get('x-zael-node') }
}

const admin = async ({ apiUrl }: RunningServer, path: string): Promise<unknown> =>
  (await fetch(apiUrl + path, { headers: { authorization: 'Bearer dev-admin' } })).json()

const bucketsOf = async ({ host }: RunningServer): Promise<readonly string[]> => {
  const { endpoint, region } = host
  const client = new DynamoDBClient({
    endpoint,
    region,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  closing.push(() => client.destroy())
  const { Items: items = [] } = await client.send(new ScanCommand({ TableName: 'ZAEL-demo' }))
  return items.flatMap(({ PK: pk, SK: sk }) => (sk?.S?.startsWith('BUCKET') ? [`${pk?.S} ${sk.S}`] : []))
}

test('nodes that share a table share its limits, and can load the same file concurrently', async () => {
  // nothing refills while the test runs
  const shared = {
    API_KEYS_FILE: await keysFile(`keys: {${SECRET}: {request_per_minute: 7}}`),
    WINDOW_SECONDS: '3600',
  }
  const first = await start({ NODE_ID: 'node-1' })
  const sharedTable = { ...shared, AWS_ENDPOINT_URL: first.host.endpoint }
  const others = await Promise.all([
    start({ ...sharedTable, NODE_ID: 'node-2' }),
    start({ ...sharedTable, NODE_ID: 'node-3' }),
  ])
  const responses = []
  for (let turn = 0; turn < 4; turn++) {
    for (const node of [first, ...others]) responses.push(await chat(node, SECRET))
  }
  expect(responses.map(({ status }) => status)).toEqual([...Array(7).fill(200), ...Array(5).fill(429)])
  expect(new Set(responses.slice(0, 7).map(({ node }) => node))).toEqual(
    new Set(['node-1', 'node-2', 'node-3']),
  )
  expect(await admin(first, `/api/audit?entity_id=${ENTITY}`)).toMatchObject({
    items: [
      { action: 'limits.replace', actor: 'api-keys-file' },
      { action: 'key.create' },
      { action: 'entity.create' },
    ],
  })
})

test('a restart with another file or another environment changes the limits', async () => {
  const first = await start({ API_KEYS_FILE: await keysFile(`keys: {${SECRET}: {request_per_minute: 1}}`) })
  const second = await start({
    AWS_ENDPOINT_URL: first.host.endpoint,
    API_KEYS_FILE: await keysFile(`keys: {${SECRET}: {request_per_minute: 2}}`),
    API_KEYS_JSON: JSON.stringify({ keys: { [SECRET]: { request_per_minute: 3 } } }),
  })
  expect(await admin(second, `/api/limits/${ENTITY}`)).toMatchObject({
    limits: expect.arrayContaining([
      expect.objectContaining({ name: 'rpm', algorithm: 'sliding_window', limit: 3, window_seconds: 60 }),
    ]),
  })
})

test('an invalid file prevents the start before any port is opened', async () => {
  const path = await keysFile(`keys: {${SECRET}: {request_per_minute: many}}`)
  const error: unknown = await start({ API_KEYS_FILE: path }).catch((reason: unknown) => reason)
  expect(error).toEqual(
    new StartError(
      'API_KEYS_FILE keys.sk-prod-....request_per_minute (key 1) must be an integer from 0 to 9007199254740991',
    ),
  )
})

test.each([
  ['1', 0],
  ['0', 1],
])('with BYPASS_LIMITER=%s a chat writes %d buckets of its key', async (BYPASS_LIMITER, buckets) => {
  const server = await start({ BYPASS_LIMITER })
  for (let turn = 0; turn < 2; turn++) expect((await chat(server, 'key-bob')).status).toBe(200)
  const written = await bucketsOf(server)
  expect(written.filter((key) => key.includes('key-bob'))).toHaveLength(buckets)
  if (buckets === 0) expect(written).toEqual([])
})
