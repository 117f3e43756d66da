import { afterEach, expect, test } from 'vitest'
import { createDelivery, createRecordQueue } from '../../../bin/serve/delivery.ts'
import { type Stops, startApi, startServer, stopAll } from '../../../bin/serve/start-server.ts'
import { openAggregator } from '../../../src/compose/aggregator.ts'
import { connectTo, type TableAddress } from '../../../src/compose/connect.ts'
import { noMetrics, silentLogger } from '../../../src/core/ports/platform.ts'
import { startEngine } from '../../../src/embedded/engine.ts'
import { createPrometheusMetrics } from '../../../src/platform/prometheus-metrics.ts'
import { readSettings } from '../../../src/settings/read-settings.ts'
import { ensureTable } from '../../../src/store/dynamodb/table-definition.ts'
import type { StreamRecord } from '../../../src/usage/stream-usage.ts'
import {
  isGenuine,
  type ReceivedWebhook,
  respondWith,
  startReceiver,
} from '../../support/webhook-receiver.ts'

const stops: Stops = []

afterEach(() => stopAll(stops))

const NODES = 3

const SECRET = 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3'

const environment = { ALERT_SECRET_OPS: SECRET, ALERT_WEBHOOK_ADDRESSES: 'loopback' }

const settings = readSettings({
  ...environment,
  PORT: '0',
  STORE_DEADLINE_MS: '30000',
  CONFIG_CACHE_SECONDS: '1',
})

/** A message as its receiver reads it. */
const messageIn = async (webhook: ReceivedWebhook) => ({
  isGenuine: await isGenuine(webhook, SECRET),
  id: webhook.headers['webhook-id'],
  data: JSON.parse(webhook.body).data,
})

const ask = async (url: string, method: string, path: string, body?: unknown, entity?: string) => {
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: 'Bearer dev-admin',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(entity !== undefined && { 'x-zael-entity': entity }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
}

/** Three nodes on one table, each with an aggregator that receives every record of its stream. */
const startNodes = async () => {
  const { tableName } = settings
  const records: StreamRecord[] = []
  const listeners: ((some: readonly StreamRecord[]) => void)[] = []
  const engine = await startEngine({ port: 0, dataDir: undefined, tableName }, (some) => {
    records.push(...some)
    for (const listener of listeners) listener(some)
  })
  stops.push(engine.stop)
  const table: TableAddress = {
    endpoint: engine.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  }
  const client = connectTo(table)({ deadlineMs: 10_000, tableName })
  await ensureTable(client, tableName, { stream: false })
  client.close()
  const common = { settings, environment, logger: silentLogger }
  const urls: string[] = []
  const aggregators: ReturnType<typeof openAggregator>[] = []
  for (let n = 0; n < NODES; n += 1) {
    const opened = openAggregator({ ...common, connect: connectTo(table), metrics: noMetrics })
    stops.push(opened.close)
    aggregators.push(opened)
    listeners.push(
      createRecordQueue(createDelivery({ aggregator: opened.aggregator, logger: silentLogger })).add,
    )
    urls.push(
      await startApi(
        { ...common, connect: connectTo(table), version: '0.0.0', metrics: createPrometheusMetrics() },
        stops,
      ),
    )
  }
  return { urls, aggregators, records, flush: engine.flush }
}

const BUDGET = {
  name: 'usd_month',
  meter: 'cost_usd_micros',
  algorithm: 'fixed_window',
  limit: 1_000_000,
  window: 'month',
}

test('a team at 80 % and 100 % of its budget gets one alert each, from three nodes', async () => {
  const { urls, aggregators, records, flush } = await startNodes()
  const [first = '', second = '', third = ''] = urls
  const receiver = await startReceiver()
  await ask(first, 'POST', '/api/entities', { entity_id: 'team-a', name: 'Team A' })
  await ask(first, 'PUT', '/api/limits/team-a', { resource: '_total_', limits: [BUDGET] })
  for (const id of ['key-1', 'key-2', 'key-3'])
    await ask(first, 'POST', '/api/entities', { entity_id: id, name: id, parent_id: 'team-a' })
  const webhook = { url: receiver.url, secret: 'env:ALERT_SECRET_OPS' }
  const alert = { entity_id: 'team-a', limit_name: 'usd_month', webhook }
  expect((await ask(second, 'PUT', '/api/alerts/budget', alert)).status).toBe(201)

  const spend = async (round: number): Promise<readonly number[]> => {
    const cost = { requests: 1, cost_usd_micros: 24_000 + round }
    const responses = await Promise.all(
      urls.map((url, n) => ask(url, 'POST', '/v1/limits/check', { resource: 'gpt-4', cost }, `key-${n + 1}`)),
    )
    return responses.map(({ status }) => status)
  }
  const spendUntilDenied = async (): Promise<void> => {
    for (let round = 0; !(await spend(round)).includes(429); round += 1) {
      await flush()
      await Promise.all(aggregators.map(({ deliver }) => deliver(10_000)))
    }
  }
  const deliverAll = async (): Promise<number> => {
    await flush()
    await Promise.all(aggregators.map(({ deliver }) => deliver(10_000)))
    return receiver.received.length
  }
  await spendUntilDenied()
  await expect.poll(deliverAll, { timeout: 30_000, interval: 200 }).toBe(2)

  // everything once more, at each of them, backwards and in parts
  for (const { aggregator } of aggregators) {
    await aggregator.handle({ Records: records.toReversed() })
    await aggregator.handle({ Records: records.slice(0, 20) })
  }
  expect(await deliverAll()).toBe(2)
  const [at80, at100] = await Promise.all(receiver.received.map(messageIn))
  expect(at80).toMatchObject({
    isGenuine: true,
    data: { alert: 'budget', entity_id: 'team-a', resource: '_total_', share: 0.8, capacity_usd: 1 },
  })
  expect(at80?.data.used_share).toBeGreaterThanOrEqual(0.8)
  expect(at100).toMatchObject({ isGenuine: true, data: { entity_id: 'team-a', share: 1 } })
  expect(at100?.data.used_share).toBeGreaterThanOrEqual(0.9)
  expect(await ask(third, 'GET', '/api/alerts/events')).toMatchObject({
    status: 200,
    body: {
      items: [
        { id: at100?.id, share: 1, state: 'delivered', attempts: 1, meter: 'cost_usd_micros' },
        { id: at80?.id, share: 0.8, state: 'delivered', attempts: 1 },
      ],
      next_cursor: null,
    },
  })
})

test('npm start sends an alert of a policy, and again after the receiver has failed', async () => {
  const receiver = await startReceiver(respondWith(503))
  const server = await startServer({
    settings: { ...settings, dynamodbPort: 0 },
    environment,
    version: '0.0.0',
    logger: silentLogger,
    onFailure: (error) => {
      throw error
    },
  })
  stops.push(server.stop)
  const { apiUrl } = server
  const limits = [{ name: 'rph', algorithm: 'sliding_window', limit: 5, window_seconds: 3600 }]
  await ask(apiUrl, 'PUT', '/api/policies/API_KEY/key-bob', { limits })
  const webhook = { url: receiver.url, secret: 'env:ALERT_SECRET_OPS' }
  await ask(apiUrl, 'PUT', '/api/alerts/bob', { policy: 'API_KEY/key-bob', shares: [0.8], webhook })
  for (let n = 0; n < 5; n += 1)
    await ask(apiUrl, 'POST', '/v1/limits/check', { resource: 'gpt-4' }, 'key-bob')
  const soon = { timeout: 40_000, interval: 250 }
  await expect.poll(() => receiver.received.length, soon).toBe(2)
  const [first, again] = await Promise.all(receiver.received.map(messageIn))
  expect(first).toMatchObject({ isGenuine: true, data: { policy: 'API_KEY/key-bob', limit_name: 'rph' } })
  expect(again?.id).toBe(first?.id)
  const events = async () => (await ask(apiUrl, 'GET', '/api/alerts/events')).body.items
  await expect.poll(events, soon).toMatchObject([{ state: 'delivered', attempts: 2, reason: null }])
})

test('a webhook to this machine is rejected unless a setting allows it', async () => {
  const server = await startServer({
    settings: readSettings({ PORT: '0', DYNAMODB_PORT: '0', STORE_DEADLINE_MS: '30000' }),
    environment: { ALERT_SECRET_OPS: SECRET },
    version: '0.0.0',
    logger: silentLogger,
    onFailure: (error) => {
      throw error
    },
  })
  stops.push(server.stop)
  const put = (webhook: object) => ask(server.apiUrl, 'PUT', '/api/alerts/a', { webhook })
  const secret = 'env:ALERT_SECRET_OPS'
  expect(await put({ url: 'https://127.0.0.1:9000/', secret })).toMatchObject({
    status: 400,
    body: { field: 'webhook.url', message: expect.stringContaining('ALERT_WEBHOOK_ADDRESSES') },
  })
  expect(await put({ url: 'https://hooks.example.com/', secret: 'env:ALERT_SECRET_OTHER' })).toMatchObject({
    status: 400,
    body: { field: 'webhook.secret', message: expect.stringContaining('ALERT_SECRET_OTHER is not set') },
  })
  const topic = await ask(server.apiUrl, 'PUT', '/api/alerts/a', {
    sns_topic_arn: 'arn:aws:sns:eu-central-1:123456789012:alerts',
  })
  expect(topic).toMatchObject({ status: 400, body: { field: 'sns_topic_arn' } })
  expect((await put({ url: 'https://hooks.example.com/', secret })).status).toBe(201)
})
