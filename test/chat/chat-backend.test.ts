import { expect, test } from 'vitest'
import { createChatBackend } from '../../src/chat/chat-backend.ts'
import { createTokenCounter } from '../../src/chat/token-counter.ts'
import { silentLogger } from '../../src/core/ports/platform.ts'
import { answersJson, startFakeUpstream } from './upstream/fake-upstream.ts'

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

test('is the simulated model where no upstream is set', async () => {
  const answer = await createChatBackend(parts, settings).complete(call)
  expect(answer.body).toMatchObject({ node_id: 'node-1' })
})

test('is the upstream where one is set, without a key where none is', async () => {
  const { baseUrl, received } = await startFakeUpstream(answersJson(200, { id: 'from-upstream' }))
  const answer = await createChatBackend(parts, { ...settings, upstreamBaseUrl: baseUrl }).complete(call)
  expect(answer.body).toEqual({ id: 'from-upstream' })
  expect(received[0]?.headers).not.toHaveProperty('authorization')
})
