import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import OpenAI, { NotFoundError, RateLimitError } from 'openai'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createPromptCounter } from '../../../src/gateway/prompt-counter.ts'
import { createSimulatedModel } from '../../../src/gateway/simulated/simulated-model.ts'
import { systemClock } from '../../../src/platform/runtime.ts'
import { createTestGateway } from '../../gateway/test-gateway.ts'
import { createDemoChat as createDemo, type DemoChat, hello } from './demo-chat.ts'
import { createFakeLimiter } from './fake-limiter.ts'

const prompts = createPromptCounter()

const simulated = createSimulatedModel({
  clock: systemClock,
  delay: async () => {},
  countText: prompts.countText,
  latencyMs: 0,
  tokensPerSecond: null,
  nodeId: 'node-1',
})

const createDemoChat: typeof createDemo = (overrides) =>
  createDemo({ backend: createTestGateway([], { prompts, simulated }).gateway, ...overrides })

/** The official client of key-bob, on a real connection; retries wait no longer than the response names. */
const clientOf = async ({ app }: DemoChat, maxRetries = 0): Promise<OpenAI> => {
  const server = createAdaptorServer({ fetch: app.fetch })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    if ('closeAllConnections' in server) server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return new OpenAI({ baseURL: `http://127.0.0.1:${port}/v1`, apiKey: 'key-bob', maxRetries })
}

const rejectionOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error) => error,
  )

const messages = [{ role: 'user' as const, content: 'Hello, how are you?' }]

test('the official client gets a completion', async () => {
  const client = await clientOf(createDemoChat())
  const { data, response } = await client.chat.completions
    .create({ model: 'gpt-4', messages, max_tokens: 3 })
    .withResponse()
  expect(data.choices[0]?.message.content).toBe('This response is')
  expect(data.usage).toEqual({ prompt_tokens: 13, completion_tokens: 3, total_tokens: 16 })
  expect(response.headers.get('x-ratelimit-remaining-requests')).toBe('9')
  expect((await client.models.list()).data.map(({ id }) => id)).toContain('gpt-4')
  expect((await client.models.retrieve('org/tiny-model')).id).toBe('org/tiny-model')
})

test('the official client streams, with usage at the end', async () => {
  const client = await clientOf(createDemoChat())
  const stream = await client.chat.completions.create({
    model: 'gpt-4',
    messages,
    max_tokens: 5,
    stream: true,
    stream_options: { include_usage: true },
  })
  const chunks = []
  for await (const chunk of stream) chunks.push(chunk)
  expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(
    'This response is simulated:',
  )
  expect(chunks.map(({ choices }) => choices[0]?.finish_reason).filter(Boolean)).toEqual(['length'])
  expect(chunks.at(-1)?.usage).toEqual({ prompt_tokens: 13, completion_tokens: 5, total_tokens: 18 })
})

test('a denial is a RateLimitError of the official client, with type, code and headers', async () => {
  const chat = createDemoChat()
  const client = await clientOf(chat)
  for (let i = 0; i < 10; i++) await chat.send('key-bob', hello(1))
  const error = await rejectionOf(client.chat.completions.create({ model: 'gpt-4', messages }))
  expect(error).toBeInstanceOf(RateLimitError)
  expect(error).toMatchObject({ status: 429, type: 'requests', code: 'rate_limit_exceeded', param: null })
  expect(String(error)).toContain('Limit 10, Used 10, Requested 1. Please try again in 6s.')
  expect(error instanceof RateLimitError && error.headers.get('retry-after-ms')).toBe('6000')
})

test('the official client retries a denial after the time it names, and then gets a completion', async () => {
  const chat = createDemoChat()
  const client = await clientOf(chat, 1)
  for (let i = 0; i < 10; i++) await chat.send('key-bob', hello(1))
  chat.advance(5950)
  const waits = vi.spyOn(globalThis, 'setTimeout')
  let rejected = 0
  chat.onDenied(() => {
    rejected += 1
    chat.advance(50)
  })
  const response = await client.chat.completions.create({ model: 'gpt-4', messages, max_tokens: 1 })
  expect([response.usage?.completion_tokens, rejected]).toEqual([1, 1])
  const waitedMs = waits.mock.calls.map(([, ms]) => ms)
  waits.mockRestore()
  // retry-after is a second, retry-after-ms 50 ms
  expect(waitedMs).toContain(50)
  expect(waitedMs).not.toContain(1000)
})

test('the official client does not retry a request that can never pass', async () => {
  const chat = createDemoChat()
  const client = await clientOf(chat, 2)
  let rejected = 0
  chat.onDenied(() => {
    rejected += 1
  })
  const error = await rejectionOf(
    client.chat.completions.create({ model: 'gpt-4', messages, max_tokens: 5000 }),
  )
  expect(String(error)).toContain('Request too large for gpt-4')
  expect(rejected).toBe(1)
})

test('the official client gets an error for an unknown model', async () => {
  const client = await clientOf(createDemoChat())
  const error = await rejectionOf(client.chat.completions.create({ model: 'gpt-9', messages }))
  expect(error).toBeInstanceOf(NotFoundError)
  expect(error).toMatchObject({ code: 'model_not_found', type: 'invalid_request_error' })
})

test('a stream that the official client aborts is settled from the counted tokens', async () => {
  const limiter = createFakeLimiter()
  const client = await clientOf(createDemoChat({ limiter }))
  // more than the buffers of a connection, so that the stream cannot end unread
  const stream = await client.chat.completions.create({
    model: 'gpt-4',
    messages,
    max_tokens: 16_000,
    n: 128,
    stream: true,
  })
  for await (const _ of stream) break
  const settled = await limiter.settled()
  expect(settled).toMatchObject({ requests: 1, input_tokens: 13 })
  expect(settled.output_tokens).toBeLessThan(128 * 16_000)
})
