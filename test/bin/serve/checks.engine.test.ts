import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type RunningServer, startServer } from '../../../bin/serve/start-server.ts'
import { silentLogger } from '../../../src/core/ports/platform.ts'
import { readSettings } from '../../../src/settings/read-settings.ts'

/** Two nodes on one table, called over sockets. */
let nodes: RunningServer[]

const start = (environment: Readonly<Record<string, string>>): Promise<RunningServer> =>
  startServer({
    settings: readSettings({ PORT: '0', DYNAMODB_PORT: '0', STORE_DEADLINE_MS: '30000', ...environment }),
    environment: {},
    version: '0.0.0',
    logger: silentLogger,
    onFailure: (error) => {
      throw error
    },
  })

beforeAll(async () => {
  const first = await start({})
  nodes = [first]
  nodes.push(await start({ AWS_ENDPOINT_URL: first.host.endpoint }))
})
afterAll(async () => {
  for (const node of nodes.toReversed()) await node.stop()
})

interface Wire {
  readonly status: number | undefined
  /** As received: header names in their original case, values in their original form. */
  readonly headers: ReadonlyMap<string, string>
  // biome-ignore lint/suspicious/noExplicitAny: the tests inspect the body as sent
  readonly body: any
}

const send = (node: number, path: string, body: unknown, key = 'key-charlie'): Promise<Wire> =>
  new Promise((resolve, reject) => {
    const sent = JSON.stringify(body)
    const headers = {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(sent),
    }
    const outgoing = request(
      `${nodes[node]?.apiUrl}${path}`,
      { method: 'POST', headers },
      async (response) => {
        const { rawHeaders, statusCode } = response
        const pairs = rawHeaders.flatMap((name, index): [string, string][] =>
          index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1] ?? '']] : [],
        )
        resolve({ status: statusCode, headers: new Map(pairs), body: JSON.parse(await text(response)) })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(sent)
  })

test('checks that pass and fail have the result in status, headers and body', async () => {
  const passed = await send(0, '/v1/limits/check', { cost: { requests: 19 } })
  expect(passed.status).toBe(200)
  expect(passed.headers.get('content-type')).toBe('application/json')
  expect(passed.headers.get('x-request-id')).toMatch(/./)
  expect(passed.headers.get('ratelimit')).toContain('"rpm";r=1')
  expect(passed.headers.get('ratelimit-policy')).toContain('"rpm";q=20;w=60')
  expect(passed.headers.has('retry-after')).toBe(false)

  const denied = await send(1, '/v1/limits/check', { cost: { requests: 19 } })
  expect(denied.status).toBe(429)
  const waitMs = Number(denied.headers.get('retry-after-ms'))
  expect(denied.body).toMatchObject({
    error: { code: 'rate_limit_exceeded' },
    allowed: false,
    retry_after_seconds: waitMs / 1000,
  })
  expect(denied.headers.get('retry-after')).toBe(String(Math.ceil(waitMs / 1000)))
  expect(denied.headers.get('ratelimit')).toMatch(/"rpm";r=\d/)

  const never = await send(0, '/v1/limits/check', { cost: { requests: 99 } })
  expect([never.status, never.headers.get('x-should-retry')]).toEqual([429, 'false'])
  expect(['retry-after', 'retry-after-ms'].filter((name) => never.headers.has(name))).toEqual([])
})

test('a reservation of one node is settled by the other, and a key has one response on both', async () => {
  const body = { resource: 'gpt-4', cost: { tokens: 900 }, reserve: true, idempotency_key: 'job' }
  const [first, again] = [await send(0, '/v1/limits/check', body), await send(1, '/v1/limits/check', body)]
  expect(first.status).toBe(200)
  expect(again.body).toEqual(first.body)
  const { reservation_id } = first.body
  const settled = await send(1, '/v1/limits/settle', { reservation_id, cost: { tokens: 100 } })
  expect(settled).toMatchObject({ status: 200, body: { reservation_id, settled: true, state: 'settled' } })
  const late = await send(0, '/v1/limits/release', { reservation_id })
  expect(late).toMatchObject({ status: 200, body: { released: false, state: 'settled' } })
  const foreign = await send(0, '/v1/limits/release', { reservation_id }, 'key-bob')
  expect([foreign.status, foreign.body.error.code]).toEqual([404, 'not_found'])
  // the refund shares a write with others of the bucket, at most a quarter of a second later
  await vi.waitFor(
    async () => {
      const look = await send(0, '/v1/limits/check', { resource: 'gpt-4', dry_run: true })
      const tpm = look.body.limits.find(
        (limit: { entity_id: string; limit_name: string }) =>
          limit.entity_id === 'key-charlie' && limit.limit_name === 'tpm',
      )
      // 100 of 2000 are used, less what has refilled since
      expect(tpm.available).toBeGreaterThanOrEqual(1900)
    },
    { timeout: 20_000 },
  )
})
