import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DECIDE_ACTIONS } from '../../../lib/table-access.ts'
import { demoData } from '../../../seed/demo-data.ts'
import { loadDemoData } from '../../../seed/load-demo-data.ts'
import { dynamoDbStore } from '../../../src/library/dynamodb.ts'
import { byZaelKey, createRateLimiter, silentLogger } from '../../../src/library/index.ts'
import { randomSecrets } from '../../../src/platform/secrets.ts'
import { createDynamoAdminStore } from '../../../src/store/dynamodb/admin/admin-store.ts'
import { TEST_CREDENTIALS } from '../../engine/start-dynalite.ts'
import { startTestTable, type TestTable, testClock } from '../../engine/test-table.ts'

let table: TestTable
let recorder: Recorder

beforeAll(async () => {
  table = await startTestTable()
  const store = createDynamoAdminStore(table.client, table.tableName, testClock)
  await loadDemoData({ store, clock: testClock, secrets: randomSecrets }, demoData)
  recorder = await startRecorder(table.endpoint)
})

afterAll(async () => {
  await recorder.close()
  await table.close()
})

interface Call {
  /** As a permission: `dynamodb:GetItem`. */
  readonly action: string
  readonly index: string | undefined
  /** The beginning of the partition key of a write. */
  readonly partition: string | undefined
}

interface Recorder {
  readonly endpoint: string
  /** The calls since the last time. */
  take(): readonly Call[]
  close(): Promise<void>
}

/** Passes requests on to an engine, and records them. */
const startRecorder = async (engine: string): Promise<Recorder> => {
  let calls: Call[] = []
  const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request)
    const target = String(request.headers['x-amz-target'])
    const { IndexName, Key } = JSON.parse(body.toString())
    const action = `dynamodb:${target.split('.')[1]}`
    calls.push({ action, index: IndexName, partition: Key?.PK.S.split('#')[0] })
    const headers = Object.entries(request.headers)
      .filter(([name]) => /^(x-amz|authorization|content-type)/.test(name))
      .map(([name, value]): [string, string] => [name, String(value)])
    const answer = await fetch(engine, { method: 'POST', headers, body })
    response.writeHead(answer.status, Object.fromEntries(answer.headers))
    response.end(Buffer.from(await answer.arrayBuffer()))
  }
  const server = createServer((request, response) => void forward(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the recorder has no port')
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    take() {
      const taken = calls
      calls = []
      return taken
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const storeOfFunction = () =>
  dynamoDbStore({
    tableName: table.tableName,
    endpoint: recorder.endpoint,
    region: 'us-east-1',
    credentials: TEST_CREDENTIALS,
    deadlineMs: 10_000,
    logger: silentLogger,
  })

const expectGranted = (calls: readonly Call[]): void => {
  const granted: readonly string[] = DECIDE_ACTIONS
  expect(calls.length).toBeGreaterThan(0)
  for (const { action } of calls) sent.add(action)
  expect(calls.filter(({ action }) => !granted.includes(action))).toEqual([])
  expect(calls.filter(({ index }) => index !== undefined)).toEqual([])
  const writes = calls.filter(({ action }) => action === 'dynamodb:UpdateItem')
  expect(writes.filter(({ partition }) => partition !== 'ENTITY' && partition !== 'POLICY')).toEqual([])
}

const sent = new Set<string>()
afterAll(() => {
  // what is granted is also used: the list is exact
  expect([...sent].toSorted()).toEqual([...DECIDE_ACTIONS])
})

test('a limiter with limits in code sends only operations that grantDecide allows', async () => {
  const limits = [
    { name: 'rpm', capacity: 2, refill_rate: 0.01 },
    { name: 'rph', algorithm: 'sliding_window', limit: 5, window_seconds: 3600 },
    { name: 'parallel', algorithm: 'concurrency', limit: 2 },
  ] as const
  const limiter = createRateLimiter({
    store: storeOfFunction(),
    name: 'orders',
    limits,
    leaseTtlMs: 1_000,
    logger: silentLogger,
  })
  const reservation = await limiter.reserve('ann', { cost: { requests: 2 } })
  await reservation.extend(30)
  await reservation.settle({ requests: 1 })
  const given = await limiter.reserve('ann')
  await given.release()
  for (let i = 0; i < 4; i++) await limiter.check('ann')
  await limiter.check('ann', { cost: {} })
  await limiter.close()
  expectGranted(recorder.take())
})

test("a limiter with a deployed zael's limits, keys, parents and policies does too", async () => {
  const store = storeOfFunction()
  const limiter = createRateLimiter({ store, config: 'table', logger: silentLogger })
  const key = byZaelKey(store)
  const header = (name: string) => (name === 'authorization' ? 'Bearer key-bob' : undefined)
  const bob = await key({
    method: 'GET',
    path: '/',
    mountedPath: '/',
    connection: '192.0.2.1',
    header,
    native: undefined,
  })
  expect(bob).toBe('key-bob')
  const reservation = await limiter.reserve('key-bob', {
    resource: 'gpt-4o',
    cost: { requests: 1, tokens: 100 },
    user: 'ent-user-2',
  })
  await reservation.settle({ requests: 1, tokens: 400 })
  for (let i = 0; i < 12; i++) await limiter.check('free-co-key', { resource: 'gpt-4o', user: 'ent-user-2' })
  await limiter.close()
  const calls = recorder.take()
  expectGranted(calls)
  // the policies of the demo data are charged too
  expect(calls.some(({ partition }) => partition === 'POLICY')).toBe(true)
})
