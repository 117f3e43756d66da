import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import db from 'dynalite/db/index.js'
import { afterEach, expect, test, vi } from 'vitest'
import { type EngineOptions, startEngine } from '../../src/embedded/engine.ts'
import { startEngineThread } from '../../src/embedded/engine-thread.ts'
import { systemClock } from '../../src/platform/runtime.ts'
import { createDynamoClient } from '../../src/store/dynamodb/client.ts'
import { ensureTable } from '../../src/store/dynamodb/table-definition.ts'
import type { StreamRecord } from '../../src/usage/stream-usage.ts'

const tableName = 'ZAEL-engine'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const dummy = { region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } }

const clientOf = async (endpoint: string): Promise<DynamoDBClient> => {
  const client = createDynamoClient({ clock: systemClock, endpoint, ...dummy, deadlineMs: 5000 })
  await ensureTable(client, tableName, { stream: false })
  client.close()
  const sdk = new DynamoDBClient({ endpoint, ...dummy })
  closing.push(() => sdk.destroy())
  return sdk
}

const start = async (options: Partial<EngineOptions> = {}, startWith = startInProcess) => {
  const records: StreamRecord[] = []
  const engine = await startWith({ port: 0, dataDir: undefined, tableName, ...options }, records)
  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> => {
    stopped ??= engine.stop()
    return stopped
  }
  closing.push(stop)
  return { records, engine, stop, sdk: await clientOf(engine.endpoint) }
}

const startInProcess = (options: EngineOptions, records: StreamRecord[]) =>
  startEngine(options, (some) => records.push(...some))

const startInThread = (options: EngineOptions, records: StreamRecord[]) =>
  startEngineThread(options, {
    onRecords: (some) => records.push(...some),
    onFailure: (error) => {
      throw error
    },
  })

const key = (sortKey: string) => ({ PK: { S: 'ENTITY#key-bob' }, SK: { S: sortKey } })

const addOne = (sdk: DynamoDBClient, sortKey = 'BUCKET#gpt-4') =>
  sdk.send(
    new UpdateItemCommand({
      TableName: tableName,
      Key: key(sortKey),
      UpdateExpression: 'ADD used_requests :one',
      ExpressionAttributeValues: { ':one': { N: '1' } },
    }),
  )

const usedOf = (image: NonNullable<StreamRecord['dynamodb']>['NewImage']) => image?.used_requests?.N

test.each([
  ['in this thread', startInProcess],
  ['in a thread of its own', startInThread],
])('the engine feeds every write of a bucket with its old and new image, %s', async (_, startWith) => {
  const { records, engine, sdk } = await start({}, startWith)
  await addOne(sdk)
  await addOne(sdk)
  await sdk.send(
    new PutItemCommand({ TableName: tableName, Item: { ...key('BUCKET#gpt-4'), used_requests: { N: '9' } } }),
  )
  await sdk.send(new DeleteItemCommand({ TableName: tableName, Key: key('BUCKET#gpt-4') }))
  await engine.flush()
  const images = records.map(({ dynamodb }) => [usedOf(dynamodb?.OldImage), usedOf(dynamodb?.NewImage)])
  expect(images).toEqual([
    [undefined, '1'],
    ['1', '2'],
    ['2', '9'],
    ['9', undefined],
  ])
  expect(records.map(({ dynamodb }) => dynamodb?.Keys)).toEqual(Array(4).fill(key('BUCKET#gpt-4')))
  expect(new Set(records.map(({ dynamodb }) => dynamodb?.SequenceNumber)).size).toBe(4)
})

test('the engine keeps the order of concurrent writes to one bucket by several clients', async () => {
  const { records, engine, sdk } = await start()
  const other = await clientOf(engine.endpoint)
  await Promise.all(Array.from({ length: 40 }, (_, place) => addOne(place % 2 === 0 ? sdk : other)))
  await engine.flush()
  expect(records.map(({ dynamodb }) => Number(usedOf(dynamodb?.NewImage)))).toEqual(
    Array.from({ length: 40 }, (_, place) => place + 1),
  )
  expect(records.map(({ dynamodb }) => Number(usedOf(dynamodb?.OldImage) ?? 0))).toEqual(
    Array.from({ length: 40 }, (_, place) => place),
  )
})

test('the engine feeds neither failed writes nor items that are not buckets', async () => {
  const { records, engine, sdk } = await start()
  const denied = sdk.send(
    new UpdateItemCommand({
      TableName: tableName,
      Key: key('BUCKET#gpt-4'),
      UpdateExpression: 'ADD used_requests :one',
      ConditionExpression: 'attribute_exists(PK)',
      ExpressionAttributeValues: { ':one': { N: '1' } },
    }),
  )
  await expect(denied).rejects.toThrow('conditional request failed')
  await addOne(sdk, 'USAGE#hour#0000000000#gpt-4#1')
  await addOne(sdk, 'META')
  await engine.flush()
  expect(records).toEqual([])
})

test('the engine keeps its data in its directory, and feeds writes after a restart', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'zael-engine-'))
  closing.push(() => rm(dataDir, { recursive: true }))
  const first = await start({ dataDir }, startInThread)
  await addOne(first.sdk)
  await first.stop()
  const second = await start({ dataDir }, startInThread)
  await addOne(second.sdk)
  await second.engine.flush()
  expect(second.records.map(({ dynamodb }) => usedOf(dynamodb?.OldImage))).toEqual(['1'])
})

test('the engine survives a client that disconnects in the middle of a request', async () => {
  const { engine, sdk } = await start()
  const socket = connect(Number(new URL(engine.endpoint).port), '127.0.0.1')
  const body =
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: 100\r\n\r\n{'
  await new Promise<void>((resolve) => socket.write(body, () => resolve()))
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.resetAndDestroy()
  await closed
  await addOne(sdk)
})

test("a failed start has the system's error code", async () => {
  const { engine } = await start()
  const taken = { port: Number(new URL(engine.endpoint).port), dataDir: undefined, tableName }
  await expect(startInThread(taken, [])).rejects.toMatchObject({
    name: 'EngineStartError',
    code: 'EADDRINUSE',
  })
  const unwritable = { port: 0, dataDir: '/dev/null/zael', tableName }
  await expect(startInThread(unwritable, [])).rejects.toMatchObject({ code: 'ENOTDIR' })
})

test('a directory used by another process is an error', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'zael-engine-'))
  closing.push(() => rm(dataDir, { recursive: true }))
  await start({ dataDir }, startInThread)
  await expect(startInThread({ port: 0, dataDir, tableName }, [])).rejects.toMatchObject({
    code: 'LEVEL_LOCKED',
  })
})

test('the engine rejects every request of a web page, and allows no origin', async () => {
  const { engine } = await start()
  const target = { 'x-amz-target': 'DynamoDB_20120810.ListTables', authorization: 'AWS4-HMAC-SHA256 x' }
  for (const method of ['OPTIONS', 'POST', 'GET']) {
    for (const origin of ['https://evil.example', engine.endpoint, 'null']) {
      const { status, headers } = await fetch(engine.endpoint, { method, headers: { ...target, origin } })
      expect(status).toBe(403)
      expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  }
  expect((await fetch(engine.endpoint)).status).toBe(200)
})

/** An engine whose disk is full while the test sets it. */
const startOnDisk = async () => {
  const disk = { isFull: false }
  const { create } = db
  db.create = (options) => {
    const store = create(options)
    const put = store.db.put.bind(store.db)
    const full = Object.assign(new Error('IO error: No space left on device'), { code: 'LEVEL_IO_ERROR' })
    store.db.put = (key, value, done) => (disk.isFull ? setImmediate(done, full) : put(key, value, done))
    return store
  }
  closing.push(() => {
    db.create = create
  })
  const dataDir = await mkdtemp(join(tmpdir(), 'zael-engine-'))
  closing.push(() => rm(dataDir, { recursive: true }))
  const started = await start({ dataDir })
  return { ...started, disk }
}

test('the engine survives a full disk: a write fails as InternalServerError, reads continue, and writes resume once there is space', async () => {
  const { sdk, disk } = await startOnDisk()
  await addOne(sdk)
  disk.isFull = true
  await expect(addOne(sdk)).rejects.toMatchObject({
    name: 'InternalServerError',
    message: expect.stringContaining('No space left on device'),
  })
  const read = new GetItemCommand({ TableName: tableName, Key: key('BUCKET#gpt-4') })
  expect(usedOf((await sdk.send(read)).Item)).toBe('1')
  disk.isFull = false
  await vi.waitFor(() => addOne(sdk), { timeout: 30_000 })
  expect(usedOf((await sdk.send(read)).Item)).toBe('2')
})
