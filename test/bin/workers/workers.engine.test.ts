import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { failToServe, type ServeProcess, startServe } from '../serve-process.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** Ten requests per hour: none refills while a test runs. */
const KEY = 'sk-prod-4f8a77c1e09d'
const TEN_AN_HOUR = {
  API_KEYS_JSON: JSON.stringify({ keys: { [KEY]: { id: 'team', request_per_minute: 10 } } }),
  WINDOW_SECONDS: '3600',
}
const PATIENCE = { timeout: 120_000, interval: 100 }

const start = async (
  environment: Readonly<Record<string, string>> = {},
  args: readonly string[] = ['--workers', '2'],
): Promise<ServeProcess> => {
  const server = await startServe({ NODE_ID: 'node-1', ...TEN_AN_HOUR, ...environment }, args)
  closing.push(() => server.end('SIGKILL'))
  return server
}

/** Each over a connection of its own, because the workers accept connections in turn. */
const chat = async ({ apiUrl }: ServeProcess) => {
  const response = await fetch(`${apiUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({
      model: 'gpt-4',
      max_tokens: 5,
      messages: [{ role: 'user', content: 'Hi' }],
    }),
  })
  await response.text()
  return { status: response.status, node: response.headers.get('x-zael-node') }
}

const admin = (server: ServeProcess, path: string): Promise<Response> =>
  fetch(server.apiUrl + path, { headers: { authorization: 'Bearer dev-admin', connection: 'close' } })

const usageOf = async (server: ServeProcess): Promise<unknown> =>
  (await admin(server, '/api/usage/team?granularity=day')).json()

/** The process of each started worker, in the order of the log. */
const pidsOf = (server: ServeProcess, worker: number): readonly number[] =>
  [...server.stderr().matchAll(new RegExp(`worker=${worker} {2}pid=(\\d+)`, 'g'))].map(([, pid]) =>
    Number(pid),
  )

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('all workers serve one port, share one limit, count together, and end on SIGINT with 0', async () => {
  const server = await start()
  const responses = []
  for (let turn = 0; turn < 14; turn++) responses.push(await chat(server))
  expect(responses.map(({ status }) => status).toSorted()).toEqual([
    ...Array(10).fill(200),
    ...Array(4).fill(429),
  ])
  const admitting = responses.filter(({ status }) => status === 200).map(({ node }) => node)
  expect(new Set(admitting)).toEqual(new Set(['node-1/1', 'node-1/2']))
  const metrics = await (await admin(server, '/metrics')).text()
  expect(metrics).toContain('\nzael_decisions_allowed_total 10\n')
  expect(metrics).toContain('\nzael_decisions_denied_total 4\n')
  await vi.waitFor(
    async () =>
      expect(await usageOf(server)).toMatchObject({ points: [{ requests: 10, output_tokens: 50 }] }),
    PATIENCE,
  )
  expect(server.stdout.match(/is ready/g)).toHaveLength(1)
  const pids = [...pidsOf(server, 1), ...pidsOf(server, 2)]
  expect(pids.map(isAlive)).toEqual([true, true])
  expect(await server.end('SIGINT')).toBe(0)
  expect(pids.map(isAlive)).toEqual([false, false])
})

test('all processes end on SIGTERM, with 0 and all use counted', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'zael-workers-'))
  closing.push(() => rm(dataDir, { recursive: true, force: true }))
  const first = await start({ DATA_DIR: dataDir })
  for (let turn = 0; turn < 4; turn++) expect((await chat(first)).status).toBe(200)
  const pids = [...pidsOf(first, 1), ...pidsOf(first, 2)]
  expect(pids.map(isAlive)).toEqual([true, true])
  expect(await first.end('SIGTERM')).toBe(0)
  expect(pids.map(isAlive)).toEqual([false, false])
  const second = await start({ DATA_DIR: dataDir }, [])
  expect(await usageOf(second)).toMatchObject({ points: [{ requests: 4, output_tokens: 20 }] })
})

test('a killed worker is replaced, and a killed parent leaves none behind', async () => {
  const server = await start()
  const [killed = 0] = pidsOf(server, 1)
  process.kill(killed, 'SIGKILL')
  await vi.waitFor(() => expect(pidsOf(server, 1)).toHaveLength(2), PATIENCE)
  expect(server.stderr()).toMatch(/warn .*another replaces it {2}worker=1 {2}reason="SIGKILL"/)
  const nodes = []
  for (let turn = 0; turn < 4; turn++) nodes.push((await chat(server)).node)
  expect(new Set(nodes)).toEqual(new Set(['node-1/1', 'node-1/2']))
  const pids = [...pidsOf(server, 1), ...pidsOf(server, 2)]
  await server.end('SIGKILL')
  await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), PATIENCE)
})

test('workers share the table of another node', async () => {
  const first = await start({}, [])
  const second = await start({ NODE_ID: 'node-2', AWS_ENDPOINT_URL: first.tableUrl })
  const responses = []
  for (let turn = 0; turn < 12; turn++) responses.push(await chat(turn % 3 === 0 ? first : second))
  expect(responses.filter(({ status }) => status === 200)).toHaveLength(10)
  expect(new Set(responses.map(({ node }) => node))).toEqual(new Set(['node-1', 'node-2/1', 'node-2/2']))
  expect(await second.end()).toBe(0)
  await vi.waitFor(
    async () => expect(await usageOf(first)).toMatchObject({ points: [{ requests: 10 }] }),
    PATIENCE,
  )
})

test('a failed start is logged once, and the exit code is 1', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  closing.push(() => taken.close())
  await once(taken, 'listening')
  const address = taken.address()
  const port = address !== null && typeof address === 'object' ? String(address.port) : ''
  expect(await failToServe({ PORT: port }, ['--workers', '2'])).toEqual({
    code: 1,
    stdout: '',
    stderr: `zael: PORT ${port} is taken: stop what listens there, or set another PORT\n`,
  })
})
