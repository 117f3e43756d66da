import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { serve } from '@hono/node-server'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createIpLimitedApi } from '../../examples/ip-limited-api/app.ts'
import { silentLogger } from '../../src/core/ports/platform.ts'
import { createTestClock, SECOND, type TestClock } from '../core/test-clock.ts'

let clock: TestClock
let url: string
let close: () => Promise<void>

beforeEach(async () => {
  clock = createTestClock()
  const app = createIpLimitedApi({ clock, trustedProxies: 1, logger: silentLogger })
  await new Promise<void>((resolve) => {
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
      url = `http://127.0.0.1:${port}`
      resolve()
    })
    close = () => new Promise((closed) => server.close(() => closed()))
  })
})
afterEach(() => close())

const ask = async (path: string, init: RequestInit = {}): Promise<number> => {
  const response = await fetch(url + path, { ...init, headers: { connection: 'close', ...init.headers } })
  await response.arrayBuffer()
  return response.status
}
const askTimes = async (times: number, path = '/api/data'): Promise<readonly number[]> => {
  const statuses: number[] = []
  for (let i = 0; i < times; i++) statuses.push(await ask(path))
  return statuses
}

test('the eleventh request is denied, and two per second pass from then on', async () => {
  expect(await askTimes(11)).toEqual([...Array<number>(10).fill(200), 429])
  clock.advance(SECOND)
  expect(await askTimes(3)).toEqual([200, 200, 429])
  clock.advance(5n * SECOND)
  expect(await askTimes(11)).toEqual([...Array<number>(10).fill(200), 429])
})

test('all limited paths share the limit of the client', async () => {
  const submit = { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } }
  for (let i = 0; i < 5; i++) expect([await ask('/'), await ask('/api/submit', submit)]).toEqual([200, 201])
  expect(await ask('/api/submit', submit)).toBe(429)
})

test('/health responds while other paths are denied, and is not charged', async () => {
  expect(await askTimes(20, '/health')).toEqual(Array<number>(20).fill(200))
  expect(await askTimes(11)).toContain(429)
  expect(await ask('/health')).toBe(200)
})

test('another client is unaffected, and forged headers are ignored', async () => {
  const from = (forwardedFor: string) => ask('/', { headers: { 'x-forwarded-for': forwardedFor } })
  for (let i = 0; i < 10; i++) expect(await from(`198.51.100.${i}, 203.0.113.7`)).toBe(200)
  expect(await from('198.51.100.99, 203.0.113.7')).toBe(429)
  expect(await from('203.0.113.8')).toBe(200)
})

test('npm run example:ip prints one line if the port is taken', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/ip-limited-api/serve.ts'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { PATH: process.env.PATH, PORT: new URL(url).port },
  })
  const stderr = text(child.stderr)
  const [code] = await once(child, 'close')
  expect(await stderr).toMatch(/^example:ip: PORT \d+ cannot be listened on: [^\n]+\n$/)
  expect(code).toBe(1)
})
