import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { failToServe, type ServeProcess, startServe } from './serve-process.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const start = async (environment: Readonly<Record<string, string>> = {}): Promise<ServeProcess> => {
  const server = await startServe(environment)
  closing.push(() => server.end('SIGKILL'))
  return server
}

/** Limits of key-bob that refill next to nothing while a test runs, however slow the machine is. */
const holdBob = async ({ apiUrl }: ServeProcess): Promise<void> => {
  const limits = [
    { name: 'rpm', capacity: 10, refill_rate: 10 / 86_400 },
    { name: 'tpm', capacity: 1000, refill_rate: 1000 / 86_400 },
  ]
  const response = await fetch(`${apiUrl}/api/limits/key-bob`, {
    method: 'PUT',
    headers: { authorization: 'Bearer dev-admin', 'content-type': 'application/json' },
    body: JSON.stringify({ limits }),
  })
  expect(response.status).toBe(200)
}

const PATIENCE = { timeout: 60_000 }

const temporaryDirectory = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'zael-serve-'))
  closing.push(() => rm(directory, { recursive: true, force: true }))
  return directory
}

const chat = ({ apiUrl }: ServeProcess, maxTokens = 50): Promise<Response> =>
  fetch(`${apiUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer key-bob`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'gpt-4',
      max_tokens: maxTokens,
      messages: [{ role: 'user', content: 'Hi' }],
    }),
  })

const admin = async ({ apiUrl }: ServeProcess, path: string): Promise<unknown> => {
  const response = await fetch(`${apiUrl}${path}`, { headers: { authorization: 'Bearer dev-admin' } })
  expect(response.status).toBe(200)
  return response.json()
}

const usageOf = (server: ServeProcess, entity = 'key-bob') =>
  admin(server, `/api/usage/${entity}?granularity=day`)

test('the server chats, limits, counts use, and stops on SIGINT with 0', async () => {
  const server = await start()
  await holdBob(server)
  const statuses: number[] = []
  for (let request = 0; request < 11; request += 1) statuses.push((await chat(server)).status)
  expect(statuses).toEqual([...Array(10).fill(200), 429])
  await vi.waitFor(async () => {
    const used = { resource: 'gpt-4', requests: 10, output_tokens: 500 }
    expect(await usageOf(server)).toMatchObject({ points: [used] })
    expect(await usageOf(server, 'proj-demo')).toMatchObject({ points: [used] })
  }, PATIENCE)
  expect(await server.end('SIGINT')).toBe(0)
  const lines = server.stderr().trimEnd().split('\n')
  const said = /^\S+ (info|warn) {2}limit (nearly used up|denied) {2}key="key-bob:gpt-4" /
  expect(lines.filter((line) => !said.test(line))).toEqual([])
  expect(lines.at(-1)).toContain('warn  limit denied')
})

test('the server prints its URLs, and each of them works', async () => {
  const server = await start({ NODE_ID: 'node-1' })
  const { stdout, apiUrl, tableUrl } = server
  for (const url of [apiUrl, `${apiUrl}/docs`, `${apiUrl}/redoc`, `${apiUrl}/openapi.json`]) {
    expect(stdout).toContain(url)
    expect((await fetch(url)).status).toBe(200)
  }
  expect(stdout).toContain(`aws dynamodb scan --table-name ZAEL-demo --endpoint-url ${tableUrl}`)
  expect(stdout).toContain('Bearer dev-admin')
  expect(stdout).toContain(`${apiUrl}/dashboard#token=dev-admin`)
  expect(await (await fetch(`${apiUrl}/health?deep=1`)).json()).toMatchObject({
    status: 'ok',
    node_id: 'node-1',
  })
  expect(await server.end('SIGTERM')).toBe(0)
})

test('the server counts use up to its stop, and keeps it and the buckets in DATA_DIR', async () => {
  const dataDir = await temporaryDirectory()
  const first = await start({ DATA_DIR: dataDir })
  await holdBob(first)
  expect((await chat(first, 900)).status).toBe(200)
  expect(await first.end('SIGINT')).toBe(0)
  const second = await start({ DATA_DIR: dataDir })
  expect(await usageOf(second)).toMatchObject({ points: [{ requests: 1, output_tokens: 900 }] })
  expect((await chat(second, 900)).status).toBe(429)
})

test('a second node shares the table, and what both admit is counted', async () => {
  const first = await start()
  await holdBob(first)
  const second = await start({ AWS_ENDPOINT_URL: first.tableUrl })
  expect(second.stderr()).toContain('no stream')
  const responses = await Promise.all(
    Array.from({ length: 14 }, (_, n) => chat(n % 2 === 0 ? first : second)),
  )
  const statuses = responses.map(({ status }) => status).toSorted()
  expect(statuses).toEqual([...Array(10).fill(200), ...Array(4).fill(429)])
  await vi.waitFor(
    async () => expect(await usageOf(second)).toMatchObject({ points: [{ requests: 10 }] }),
    PATIENCE,
  )
  expect(await second.end()).toBe(0)
  expect(await first.end()).toBe(0)
})

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'the server ends with the npm that runs it, on %s',
  async (signal) => {
    const server = await startServe({}, [], { byNpm: true })
    closing.push(() => server.end('SIGKILL'))
    // resolves when no process holds the streams any more: npm, and the server it started
    await server.end(signal)
    await expect(fetch(`${server.apiUrl}/health`)).rejects.toThrow('fetch failed')
  },
)

test('the server prints in one line on stderr why it cannot start, and exits with 1', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  closing.push(() => taken.close())
  await once(taken, 'listening')
  const address = taken.address()
  const port = address !== null && typeof address === 'object' ? String(address.port) : ''
  expect(await failToServe({ PORT: port })).toEqual({
    code: 1,
    stdout: '',
    stderr: `zael: PORT ${port} is taken: stop what listens there, or set another PORT\n`,
  })
  expect(await failToServe({ PORT: 'x', LOG_LEVEL: 'loud' })).toEqual({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^zael: PORT must .+; LOG_LEVEL must .+\n$/),
  })
})
