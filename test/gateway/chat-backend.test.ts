import { expect, test } from 'vitest'
import { silentLogger } from '../../src/core/ports/platform.ts'
import { createChatBackend } from '../../src/gateway/chat-backend.ts'
import { createTokenCounter } from '../../src/gateway/token-counter.ts'
import { respondsJson, startFakeUpstream } from './upstream/fake-upstream.ts'

const parts = {
  clock: { now: () => 0n, monotonic: () => 0n },
  tokens: createTokenCounter(),
  logger: silentLogger,
}

const settings = { upstreamBaseUrl: null, upstreamApiKey: null, simulatedLatencyMs: 0, nodeId: 'node-1' }

const call = {
  request: { model: 'gpt-4', messages: [] },
  promptTokens: 3,
  requestId: 'req_1',
  signal: new AbortController().signal,
}

test('the backend is the simulated model if no upstream is configured', async () => {
  const response = await createChatBackend(parts, settings).complete(call)
  expect(response.body).toMatchObject({ node_id: 'node-1' })
})

test('the backend is the configured upstream, without a key if there is none', async () => {
  const { baseUrl, received } = await startFakeUpstream(respondsJson(200, { id: 'from-upstream' }))
  const response = await createChatBackend(parts, { ...settings, upstreamBaseUrl: baseUrl }).complete(call)
  expect(response.body).toEqual({ id: 'from-upstream' })
  expect(received[0]?.headers).not.toHaveProperty('authorization')
})
