import { describe, expect, test } from 'vitest'
import type { ModelEvents } from '../../../src/core/ports/model-backend.ts'
import { createDemoChat, hello } from './demo-chat.ts'
import { eventsOf, fakeBackend, PROMPT_TOKENS, streamed, usageCharge } from './fake-backend.ts'
import { createFakeLimiter } from './fake-limiter.ts'

const used = (output: number) => ({
  requests: 1,
  input_tokens: PROMPT_TOKENS,
  output_tokens: output,
  tokens: PROMPT_TOKENS + output,
})

const streaming = (events: ModelEvents) => fakeBackend({ call: async () => streamed(events) })

const body = { ...hello(), stream: true }

const PIECES = ['a', 'b']

describe('a stream', () => {
  test('sends its headers, and its events as they are', async () => {
    const response = await createDemoChat().send('key-bob', { ...hello(2), stream: true })
    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'x-ratelimit-limit-requests': '10',
      'x-ratelimit-remaining-requests': '9',
      'x-ratelimit-reset-requests': '6s',
      'x-ratelimit-remaining-tokens': '985',
      'x-zael-upstream': 'fake',
    })
    expect(await response.text()).toBe(
      'data: {"piece":"a"}\n\ndata: {"piece":"b"}\n\ndata: {"piece":"c"}\n\ndata: [DONE]\n\n',
    )
  })

  test('is settled before its end is sent', async () => {
    const limiter = createFakeLimiter()
    const backend = streaming(eventsOf(PIECES, usageCharge(PROMPT_TOKENS, 2)))
    const response = await createDemoChat({ limiter, backend }).send('key-bob', body)
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    const settledBefore: [text: string | undefined, settled: boolean][] = []
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
      settledBefore.push([part.value, limiter.calls.some(([name]) => name === 'settle')])
    }
    expect(settledBefore.at(0)).toEqual(['data: {"piece":"a"}\n\n', false])
    expect(settledBefore.at(-1)).toEqual(['data: [DONE]\n\n', true])
    expect(limiter.calls.slice(1)).toEqual([['settle', used(2)]])
  })

  test('whose reader disconnects is stopped, and settled once to its charge by then', async () => {
    const limiter = createFakeLimiter()
    const events = eventsOf(Array(1000).fill('a'), usageCharge(1, 1), usageCharge(PROMPT_TOKENS, 3))
    const response = await createDemoChat({ limiter, backend: streaming(events) }).send('key-bob', body)
    const reader = response.body?.getReader()
    for (let i = 0; i < 3; i++) await reader?.read()
    await reader?.cancel()
    expect(limiter.calls.slice(1)).toEqual([['settle', used(3)]])
    expect(events.isCancelled()).toBe(true)
  })

  test('whose client cancels while the upstream is silent is settled at once', async () => {
    const limiter = createFakeLimiter()
    const silent: ModelEvents = { ...eventsOf([], { of: 'estimate' }), next: () => new Promise(() => {}) }
    const events = { ...silent, hasEnded: () => false, charge: async () => ({ of: 'estimate' }) as const }
    const response = await createDemoChat({ limiter, backend: streaming(events) }).send('key-bob', body)
    const reader = response.body?.getReader()
    const pending = reader?.read()
    await reader?.cancel()
    expect(await limiter.settled()).toEqual({})
    expect(await pending).toMatchObject({ done: true })
  })
})
