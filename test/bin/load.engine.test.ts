import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, inject, test, vi } from 'vitest'
import { type ServeProcess, startServe } from './serve-process.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const serve = async (environment: Readonly<Record<string, string>> = {}): Promise<ServeProcess> => {
  const server = await startServe(environment)
  closing.push(() => server.end('SIGKILL'))
  return server
}

/** From the sources, like `npm run load`. */
const SOURCES = ['--import', 'tsx', 'bin/load.ts']

/** Starts the load client, bundled by default. */
const startLoad = (args: readonly string[], program = [join(inject('programs'), 'load.mjs')]) => {
  const child = spawn(process.execPath, [...program, ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  closing.push(() => child.kill('SIGKILL'))
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, ...output }))
  return { ended, kill: (signal: 'SIGINT') => child.kill(signal) }
}

const load = (...args: string[]) => startLoad(args).ended

const usedBy = async ({ apiUrl }: ServeProcess, entity: string): Promise<number> => {
  const response = await fetch(`${apiUrl}/api/usage/${entity}?granularity=day`, {
    headers: { authorization: 'Bearer dev-admin' },
  })
  const { points }: { points: readonly { requests: number }[] } = JSON.parse(await response.text())
  return points.reduce((sum, { requests }) => sum + requests, 0)
}

test('the load client reports as passed what the table counted as used, by key and by node', async () => {
  const first = await serve()
  const second = await serve({ AWS_ENDPOINT_URL: first.tableUrl })
  const { code, stdout, stderr } = await load(
    ...['--nodes', first.apiUrl, '--nodes', second.apiUrl, '--api-keys', 'key-alice,key-bob', '-d', '1'],
    ...['-c', '40', '--processes', '2', '--max-tokens', '5', '--delay', '0.01', '--timeout', '300', '--json'],
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const report = JSON.parse(stdout)
  const { total, by_node: nodes, by_key: keys } = report
  expect(report).toMatchObject({ interrupted: false, processes: 2, lost_processes: 0, most_callers: 40 })
  expect(total).toMatchObject({ errors_by_kind: {}, errors: 0, requests: total.success + total.throttled })
  for (const field of ['requests', 'success', 'throttled', 'errors']) {
    expect(nodes[0][field] + nodes[1][field]).toBe(total[field])
    expect(keys[0][field] + keys[1][field]).toBe(total[field])
  }
  expect(nodes.map(({ node }: { node: string }) => node)).toEqual([first.apiUrl, second.apiUrl])
  expect(keys.map(({ key }: { key: string }) => key)).toEqual(['key-alic...', 'key...'])
  expect(keys[0].success).toBeGreaterThan(0)
  await vi.waitFor(
    async () =>
      expect([await usedBy(first, 'key-alice'), await usedBy(first, 'key-bob')]).toEqual([
        keys[0].success,
        keys[1].success,
      ]),
    { timeout: 120_000 },
  )
})

test('the load client reports its measurements as text when it is interrupted', async () => {
  const { apiUrl } = await serve()
  const running = startLoad(
    ['-n', apiUrl, '-k', 'key-alice', '-d', '1h', '-c', '2', '--check', '--delay', '0.05'],
    SOURCES,
  )
  await vi.waitFor(async () => expect(await checksOf(apiUrl)).toBeGreaterThan(0), { timeout: 120_000 })
  running.kill('SIGINT')
  const { code, stdout, stderr } = await running.ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/processes: 1, interrupted\n/)
  expect(stdout).toMatch(/ {2}success {4}[1-9]/)
  expect(stdout).toContain(apiUrl)
  expect(stdout).toContain('1 key-alic...')
})

test('the load client exits with 1 and names the cause if no request succeeds: a wrong key', async () => {
  const { apiUrl } = await serve()
  const down = 'http://127.0.0.1:9'
  const { code, stdout, stderr } = await load(
    '-n',
    apiUrl,
    '-n',
    down,
    '-k',
    'wrong',
    '-c',
    '40',
    '-d',
    '0.5',
    '--json',
  )
  const { total, by_node: nodes } = JSON.parse(stdout)
  expect(total).toMatchObject({ success: 0, requests: total.throttled + total.errors })
  expect(nodes[1].errors_by_kind).toEqual({ ECONNREFUSED: nodes[1].requests })
  expect(stderr).toMatch(/^load: no request succeeded: [^\n]*401 × \d[^\n]*\n$/)
  expect(code).toBe(1)
})

async function checksOf(apiUrl: string): Promise<number> {
  const response = await fetch(`${apiUrl}/metrics`, { headers: { authorization: 'Bearer dev-viewer' } })
  return Number(/^zael_decisions_allowed_total (\d+)/m.exec(await response.text())?.[1])
}
