import { describe, expect, test } from 'vitest'
import type { ChatBackend, ChatUsage } from '../../../src/core/ports/chat-backend.ts'
import { silentLogger } from '../../../src/core/ports/platform.ts'
import { createDemoChat, hello } from './demo-chat.ts'
import { createFakeLimiter } from './fake-limiter.ts'

const PROMPT = 13
const used = (output: number) => ({
  requests: 1,
  input_tokens: PROMPT,
  output_tokens: output,
  tokens: PROMPT + output,
})

const eventsOf = async (response: Response): Promise<readonly unknown[]> =>
  (await response.text())
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => event.replace(/^data: /, ''))
    .map((data) => (data === '[DONE]' ? data : JSON.parse(data)))

/** Streams `pieces`, a token each, and then fails if `failure` is given. */
const streaming = (pieces: readonly string[], failure?: Error): ChatBackend & { ended: boolean } => {
  const backend = {
    ended: false,
    mostCompletionTokens: () => 100,
    complete: () => Promise.reject(new Error('not a streamed request')),
    async stream() {
      const usage: { -readonly [K in keyof ChatUsage]: number } = {
        promptTokens: PROMPT,
        completionTokens: 0,
      }
      async function* chunks() {
        try {
          for (const piece of pieces) {
            usage.completionTokens += 1
            yield { piece }
          }
          if (failure !== undefined) throw failure
        } finally {
          backend.ended = true
        }
      }
      return { chunks: chunks(), usage: () => usage }
    },
  }
  return backend
}

const body = { ...hello(), stream: true }

describe('a streamed chat', () => {
  test('sends its headers before the first byte, and ends with [DONE]', async () => {
    const response = await createDemoChat().send('key-bob', {
      ...hello(2),
      stream: true,
      stream_options: { include_usage: true },
    })
    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'x-ratelimit-limit-requests': '10',
      'x-ratelimit-remaining-requests': '9',
      'x-ratelimit-reset-requests': '6s',
      'x-ratelimit-remaining-tokens': '985',
    })
    const events = await eventsOf(response)
    expect(events.slice(-2)).toMatchObject([
      { choices: [], usage: { prompt_tokens: PROMPT, completion_tokens: 2, total_tokens: PROMPT + 2 } },
      '[DONE]',
    ])
  })

  test('is settled before its end is sent', async () => {
    const limiter = createFakeLimiter()
    const response = await createDemoChat({ limiter, backend: streaming(['a', 'b']) }).send('key-bob', body)
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    const settledBefore: [text: string | undefined, settled: boolean][] = []
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
      settledBefore.push([part.value, limiter.calls.some(([name]) => name === 'settle')])
    }
    expect(settledBefore.at(0)).toEqual(['data: {"piece":"a"}\n\n', false])
    expect(settledBefore.at(-1)).toEqual(['data: [DONE]\n\n', true])
    expect(limiter.calls.at(-1)).toEqual(['settle', used(2)])
  })

  test('that fails in the middle sends an error event, and is settled from the counted tokens', async () => {
    const limiter = createFakeLimiter()
    const backend = streaming(['a', 'b', 'c'], new Error('a secret'))
    const events = await eventsOf(await createDemoChat({ limiter, backend }).send('key-bob', body))
    expect(events.slice(-2)).toEqual([
      expect.objectContaining({
        error: {
          message: 'Something went wrong on our side',
          type: 'server_error',
          param: null,
          code: 'internal_error',
        },
      }),
      '[DONE]',
    ])
    expect(limiter.calls.at(-1)).toEqual(['settle', used(3)])
  })

  test('whose reader disconnects is stopped, and settled from the counted tokens', async () => {
    const limiter = createFakeLimiter()
    const backend = streaming(Array(1000).fill('a'))
    const response = await createDemoChat({ limiter, backend }).send('key-bob', body)
    const reader = response.body?.getReader()
    for (let i = 0; i < 3; i++) await reader?.read()
    await reader?.cancel()
    const [, settled] = limiter.calls
    expect(settled?.[0]).toBe('settle')
    // The stream may have prepared one chunk ahead of its reader.
    expect([used(3), used(4)]).toContainEqual(settled?.[1])
    expect(backend.ended).toBe(true)
  })

  test.each(['cancels', 'aborts'])(
    'whose client %s before any output stays charged as reserved',
    async (how) => {
      const limiter = createFakeLimiter()
      const backend: ChatBackend = {
        ...streaming([]),
        async stream() {
          async function* chunks() {
            yield { choices: [{ delta: { role: 'assistant' } }] }
            await new Promise(() => {})
          }
          return { chunks: chunks(), usage: () => undefined }
        },
      }
      const gone = new AbortController()
      const response = await createDemoChat({ limiter, backend }).send('key-bob', body, {
        signal: gone.signal,
      })
      const reader = response.body?.getReader()
      await reader?.read()
      if (how === 'aborts') gone.abort()
      else void reader?.cancel()
      expect(await limiter.settled()).toEqual({})
    },
  )

  test('whose client disconnects while nothing is read is settled', async () => {
    const limiter = createFakeLimiter()
    const gone = new AbortController()
    await createDemoChat({ limiter, backend: streaming(['a', 'b']) }).send('key-bob', body, {
      signal: gone.signal,
    })
    gone.abort()
    expect(await limiter.settled()).toMatchObject({ requests: 1, input_tokens: PROMPT })
  })

  test.each([
    ['an upstream that fails', false, ['chat interrupted after its first byte']],
    ['no client that disconnects', true, []],
  ])('logs %s', async (_, disconnects, logged) => {
    const events: string[] = []
    const logger = { ...silentLogger, warn: (event: string) => void events.push(event) }
    const gone = new AbortController()
    const backend: ChatBackend = {
      ...streaming([]),
      async stream() {
        async function* chunks() {
          yield { piece: 'a' }
          if (disconnects) gone.abort()
          throw new Error('the stream was cut')
        }
        return { chunks: chunks(), usage: () => undefined }
      },
    }
    const response = await createDemoChat({ limiter: createFakeLimiter(), backend, logger }).send(
      'key-bob',
      body,
      { signal: gone.signal },
    )
    expect((await eventsOf(response)).at(-1)).toBe('[DONE]')
    expect(events).toEqual(logged)
  })
})
