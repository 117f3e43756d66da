import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { startServer } from '../../../bin/serve/start-server.ts'
import { StartError } from '../../../src/command-line/failure.ts'
import { silentLogger } from '../../../src/core/ports/platform.ts'
import { readSettings } from '../../../src/settings/read-settings.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const start = async (environment: Readonly<Record<string, string>>) => {
  const server = await startServer({
    settings: readSettings({ PORT: '0', DYNAMODB_PORT: '0', STORE_DEADLINE_MS: '30000', ...environment }),
    environment,
    version: '0.0.0',
    logger: silentLogger,
    onFailure: (error) => {
      throw error
    },
  })
  closing.push(server.stop)
  return server
}

const temporaryDirectory = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'zael-serve-'))
  closing.push(() => rm(directory, { recursive: true, force: true }))
  return directory
}

const takenPort = async (): Promise<string> => {
  const server = createServer()
  closing.push(() => new Promise((resolve) => server.close(resolve)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return String(address.port)
}

const whyNot = async (environment: Readonly<Record<string, string>>): Promise<string> => {
  const error: unknown = await start(environment).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(StartError)
  return error instanceof StartError ? error.message : ''
}

test('the error for a taken port names the setting', async () => {
  const port = await takenPort()
  const advice = (name: string) => `${name} ${port} is taken: stop what listens there, or set another ${name}`
  expect(await whyNot({ PORT: port })).toBe(advice('PORT'))
  expect(await whyNot({ DYNAMODB_PORT: port })).toBe(advice('DYNAMODB_PORT'))
})

test('a failed start leaves nothing behind', async () => {
  const dataDir = await temporaryDirectory()
  await whyNot({ PORT: await takenPort(), DATA_DIR: dataDir })
  await start({ DATA_DIR: dataDir })
})

test('the error for an unusable DATA_DIR contains the cause', async () => {
  expect(await whyNot({ DATA_DIR: '/dev/null/zael' })).toMatch(
    /^DATA_DIR \/dev\/null\/zael cannot be used: ENOTDIR/,
  )
  const dataDir = await temporaryDirectory()
  await start({ DATA_DIR: dataDir })
  expect(await whyNot({ DATA_DIR: dataDir })).toBe(
    `DATA_DIR ${dataDir} cannot be used: another process uses it`,
  )
})

test('the error for an unreachable AWS_ENDPOINT_URL names it', async () => {
  expect(await whyNot({ AWS_ENDPOINT_URL: 'http://127.0.0.1:9' })).toBe(
    'AWS_ENDPOINT_URL http://127.0.0.1:9 cannot be used: connect ECONNREFUSED 127.0.0.1:9',
  )
})

test('the error for a HOST that is not on this machine names it', async () => {
  const tokens = { ADMIN_TOKEN: 'a', VIEWER_TOKEN: 'b' }
  expect(await whyNot({ HOST: '203.0.113.1', ...tokens })).toMatch(
    /^HOST 203\.0\.113\.1 cannot be listened on: /,
  )
})

test('a missing table at AWS_ENDPOINT_URL is created and seeded, and an existing one left unchanged', async () => {
  const first = await start({ TABLE_NAME: 'ZAEL-first' })
  const second = await start({ TABLE_NAME: 'ZAEL-second', AWS_ENDPOINT_URL: first.host.endpoint })
  const path = `${second.apiUrl}/api/entities/key-bob`
  const headers = { authorization: 'Bearer dev-admin' }
  expect((await fetch(path, { method: 'DELETE', headers })).status).toBe(204)
  await second.stop()
  const third = await start({ TABLE_NAME: 'ZAEL-second', AWS_ENDPOINT_URL: first.host.endpoint })
  const bob = await fetch(`${third.apiUrl}/api/entities/key-bob`, { headers })
  const alice = await fetch(`${third.apiUrl}/api/entities/key-alice`, { headers })
  expect([bob.status, alice.status]).toEqual([404, 200])
})

test('UPSTREAMS_FILE is loaded before the first request', async () => {
  const path = join(await temporaryDirectory(), 'upstreams.yaml')
  const secret = 'env:UPSTREAM_SECRET_A'
  await writeFile(
    path,
    `upstreams: {a: {kind: openai, base_url: "https://a.example/v1", secret: "${secret}"}}`,
  )
  expect(await whyNot({ UPSTREAMS_FILE: path })).toBe(
    'UPSTREAMS_FILE upstreams.a.secret must be readable by zael: UPSTREAM_SECRET_A is not set in the environment of zael',
  )
  const { apiUrl } = await start({ UPSTREAMS_FILE: path, UPSTREAM_SECRET_A: 'sk-a-key' })
  const headers = { authorization: 'Bearer dev-viewer' }
  const response = await fetch(`${apiUrl}/api/upstreams/a`, { headers })
  expect(await response.json()).toMatchObject({ base_url: 'https://a.example/v1', secret })
})

test('a changed upstream serves the next request, and GET shows its failures', async () => {
  const upstream = await start({ NODE_ID: 'upstream' })
  const { apiUrl } = await start({ NODE_ID: 'gateway', UPSTREAM_SECRET_A: 'key-alice' })
  const chat = async () => {
    const response = await fetch(`${apiUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer key-bob', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] }),
    })
    const { node_id }: { node_id?: string } = JSON.parse(await response.text())
    return { status: response.status, node_id, via: response.headers.get('x-zael-upstream') }
  }
  const configure = (method: string, body?: object) =>
    fetch(`${apiUrl}/api/upstreams/default`, {
      method,
      headers: { authorization: 'Bearer dev-admin', 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
  expect(await chat()).toMatchObject({ node_id: 'gateway', via: 'simulated' })
  const base_url = `${upstream.apiUrl}/v1`
  expect((await configure('PUT', { kind: 'openai', base_url, secret: 'env:UPSTREAM_SECRET_A' })).status).toBe(
    201,
  )
  expect(await chat()).toEqual({ status: 200, node_id: 'upstream', via: 'default' })
  await upstream.stop()
  expect(await chat()).toMatchObject({ status: 502, via: 'default' })
  expect(await (await configure('GET')).json()).toMatchObject({
    models: [{ model: 'gpt-4', last_failure: { cause: 'connect' } }],
  })
  expect((await configure('DELETE')).status).toBe(204)
  expect(await chat()).toMatchObject({ node_id: 'gateway', via: 'simulated' })
})

test('chats are sent to an OpenAI-compatible upstream', async () => {
  const upstream = await start({ NODE_ID: 'upstream' })
  const server = await start({
    UPSTREAM_BASE_URL: `${upstream.apiUrl}/v1`,
    UPSTREAM_API_KEY: 'key-alice',
  })
  const response = await fetch(`${server.apiUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer key-bob', 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] }),
  })
  expect(await response.json()).toMatchObject({ node_id: 'upstream', usage: { completion_tokens: 5 } })
})
