import { once } from 'node:events'
import { createServer } from 'node:http'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { afterEach, expect, test } from 'vitest'
import { createExampleLimits, createExampleServer } from '../../examples/mcp-server/server.ts'
import { createSessions } from '../../examples/mcp-server/sessions.ts'
import { silentLogger } from '../../src/library/index.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const overHttp = async () => {
  const sessions = createSessions(createExampleLimits({ logger: silentLogger }))
  const server = createServer((request, response) => void sessions.handle(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(async () => {
    await sessions.close()
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return new URL(`http://127.0.0.1:${address.port}/mcp`)
}

const openSession = async (url: URL): Promise<Client> => {
  const client = new Client({ name: 'test', version: '1' })
  const transport: object = new StreamableHTTPClientTransport(url)
  // the SDK's own types disagree where optional properties are exact
  await client.connect(transport as Parameters<Client['connect']>[0])
  closing.push(() => client.close())
  return client
}

const inMemory = async (): Promise<Client> => {
  const client = new Client({ name: 'test', version: '1' })
  const [near, far] = InMemoryTransport.createLinkedPair()
  const limits = createExampleLimits({ logger: silentLogger })
  await createExampleServer(limits).connect(far)
  await client.connect(near)
  closing.push(
    () => limits.close(),
    () => client.close(),
  )
  return client
}

const report = (client: Client) => client.callTool({ name: 'report', arguments: { topic: 'bees' } })

const errorsOf = async (client: Client, times: number): Promise<readonly boolean[]> => {
  const errors = []
  for (let index = 0; index < times; index += 1) errors.push((await report(client)).isError === true)
  return errors
}

test('over HTTP, each session has five reports', async () => {
  const url = await overHttp()
  const [one, other] = [await openSession(url), await openSession(url)]
  expect(await errorsOf(one, 6)).toEqual([false, false, false, false, false, true])
  expect(await errorsOf(other, 5)).not.toContain(true)
  expect(await report(one)).toMatchObject({
    content: [{ text: expect.stringContaining('5 of 5 calls used in this session') }],
    structuredContent: {
      retryAfter: expect.any(Number),
      limits: [{ limit: 'reports', used: 5, capacity: 5 }],
    },
  })
  expect((await one.callTool({ name: 'time' })).isError).toBeUndefined()
})

test('in memory, a server is a session', async () => {
  expect(await errorsOf(await inMemory(), 6)).toEqual([false, false, false, false, false, true])
  expect(await report(await inMemory())).toMatchObject({ content: [{ text: 'A report on bees: …' }] })
})

test('a session that does not exist is none', async () => {
  const url = await overHttp()
  const response = await fetch(url, { method: 'POST', headers: { 'mcp-session-id': 'invented' } })
  expect(response.status).toBe(404)
})
