import { Agent, type IncomingMessage, request } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { type ListenOptions, listen } from '../../../bin/serve/listen.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const start = async (options: Partial<ListenOptions> = {}) => {
  const listening = await listen({
    fetch: () => new Response('ok'),
    host: '127.0.0.1',
    port: 0,
    keepAliveSeconds: 65,
    ...options,
  })
  closing.push(listening.stop)
  return listening
}

const get = (url: string, agent: Agent): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    request(url, { agent }, (response) => response.resume().once('end', () => resolve(response)))
      .once('error', reject)
      .end()
  })

test('keeps an idle connection open for as long as the setting says', async () => {
  const { url } = await start({ keepAliveSeconds: 65 })
  const agent = new Agent({ keepAlive: true })
  closing.push(() => agent.destroy())
  const { headers } = await get(url, agent)
  expect(headers['keep-alive']).toBe('timeout=65')
  expect(headers.connection).toBe('keep-alive')
})
