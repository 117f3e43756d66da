import { EventEmitter, once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { createTokenCounter } from '../../../src/chat/token-counter.ts'
import { createOpenAiUpstream } from '../../../src/chat/upstream/openai-upstream.ts'
import type { ChatCall, ChatResponse, ChatStream } from '../../../src/core/ports/chat-backend.ts'
import { silentLogger } from '../../../src/core/ports/platform.ts'
import { answersEvents, answersJson, startFakeUpstream } from './fake-upstream.ts'

const LONG_MS = 30_000
const upstreamAt = (baseUrl: string, silenceMs = LONG_MS) =>
  createOpenAiUpstream({
    baseUrl,
    apiKey: 'sk-upstream',
    tokens: createTokenCounter(),
    logger: silentLogger,
    silenceMs,
  })

const callOf = (
  request: Partial<ChatCall['request']> = {},
  signal: ChatCall['signal'] = new AbortController().signal,
): ChatCall => ({
  request: { model: 'gpt-4', messages: [{ role: 'user', content: 'Hi' }], ...request },
  promptTokens: 9,
  requestId: 'req_1',
  signal,
})

const streamOf = (answer: ChatStream | ChatResponse): ChatStream => {
  if (!('chunks' in answer)) throw new Error(`It did not stream: ${JSON.stringify(answer)}`)
  return answer
}

const all = async (stream: ChatStream) => {
  const chunks = []
  for await (const chunk of stream.chunks) chunks.push(chunk)
  return chunks
}

const chunk = (delta: object, rest: object = {}) => ({ id: 'c1', choices: [{ index: 0, delta }], ...rest })
const USAGE = { prompt_tokens: 11, completion_tokens: 22, total_tokens: 33 }

describe('a whole answer', () => {
  test("is asked for with zael's own key, and passes with its usage", async () => {
    const body = { id: 'c1', choices: [], usage: USAGE }
    const { baseUrl, received } = await startFakeUpstream(answersJson(200, body))
    const answer = await upstreamAt(`${baseUrl}/`).complete(callOf({ temperature: 0.5, seed: 7 }))
    expect(answer).toEqual({ status: 200, body, usage: { promptTokens: 11, completionTokens: 22 } })
    expect(received).toMatchObject([
      { path: '/v1/chat/completions', headers: { authorization: 'Bearer sk-upstream' } },
    ])
    expect(received[0]?.body).toEqual({
      model: 'gpt-4',
      messages: [{ role: 'user', content: 'Hi' }],
      temperature: 0.5,
      seed: 7,
      stream: false,
    })
  })

  test('is counted where it reports no usage', async () => {
    const body = { choices: [{ message: { role: 'assistant', content: 'one two three' } }] }
    const { baseUrl } = await startFakeUpstream(answersJson(200, body))
    expect((await upstreamAt(baseUrl).complete(callOf())).usage).toEqual({
      promptTokens: 9,
      completionTokens: 3,
    })
  })

  test('reserves what is asked for, and an assumed number where nothing is', () => {
    const upstream = upstreamAt('http://127.0.0.1:1')
    expect(upstream.mostCompletionTokens(callOf({ max_tokens: 50, n: 2 }).request)).toBe(100)
    expect(upstream.mostCompletionTokens(callOf().request)).toBe(1024)
  })
})

describe('a refusal', () => {
  const error = { message: 'Slow down', type: 'requests', param: null, code: 'rate_limit_exceeded' }

  test.each([false, true])('passes with its status and when to try again (stream: %s)', async (stream) => {
    const { baseUrl } = await startFakeUpstream(
      answersJson(429, { error }, { 'retry-after': '7', 'x-other': 'no' }),
    )
    const upstream = upstreamAt(baseUrl)
    const answer = await (stream ? upstream.stream(callOf({ stream })) : upstream.complete(callOf()))
    expect(answer).toEqual({
      status: 429,
      body: { error },
      usage: undefined,
      headers: { 'retry-after': '7' },
    })
  })

  test("of zael's own key becomes a 502 that shows nothing of it", async () => {
    const shown = { error: { ...error, message: 'Incorrect API key provided: sk-upst***eam' } }
    const { baseUrl } = await startFakeUpstream(answersJson(401, shown))
    const answer = await upstreamAt(baseUrl).complete(callOf())
    expect(answer.status).toBe(502)
    expect(JSON.stringify(answer.body)).not.toContain('sk-upst')
  })

  test('that is no JSON gets a body that is', async () => {
    const { baseUrl } = await startFakeUpstream((response) => response.writeHead(503).end('<html>'))
    const { status, body } = await upstreamAt(baseUrl).complete(callOf())
    expect([status, body]).toMatchObject([
      503,
      { error: { type: 'server_error', code: 'upstream_error', param: null } },
    ])
  })
})

describe('an upstream that is not there', () => {
  test.each([
    ['refuses connections', (r: { destroy(): void }) => r.destroy(), 502, 'upstream_unreachable', LONG_MS],
    ['says nothing for too long', () => {}, 504, 'upstream_timeout', 50],
  ])('and %s is an answer', async (_, answer, status, code, silenceMs) => {
    const { baseUrl } = await startFakeUpstream(answer)
    const upstream = upstreamAt(baseUrl, silenceMs)
    expect(await upstream.complete(callOf())).toMatchObject({ status, body: { error: { code } } })
    expect(await upstream.stream(callOf({ stream: true }))).toMatchObject({
      status,
      body: { error: { code } },
    })
  })

  test('is an abort where the caller has gone away', async () => {
    const gone = new AbortController()
    const { baseUrl } = await startFakeUpstream(() => gone.abort())
    await expect(upstreamAt(baseUrl).complete(callOf({}, gone.signal))).rejects.toThrow('aborted')
  })
})

describe('a streamed answer', () => {
  const events = [
    chunk({ role: 'assistant', content: '' }, { usage: null }),
    chunk({ content: 'one two' }, { usage: null }),
    { id: 'c1', choices: [], usage: USAGE },
  ].map((each) => JSON.stringify(each))

  test('is always asked for with its usage, and shows it to those who asked', async () => {
    const { baseUrl, received } = await startFakeUpstream(answersEvents([...events, '[DONE]']))
    const upstream = upstreamAt(baseUrl)
    const asked = streamOf(
      await upstream.stream(callOf({ stream: true, stream_options: { include_usage: true } })),
    )
    const unasked = streamOf(await upstream.stream(callOf({ stream: true })))
    expect(await all(asked)).toEqual(events.map((event) => JSON.parse(event)))
    expect(await all(unasked)).toEqual([
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'one two' }),
    ])
    for (const stream of [asked, unasked])
      expect(stream.usage()).toEqual({ promptTokens: 11, completionTokens: 22 })
    expect(received.map(({ body }) => body)).toMatchObject(
      Array(2).fill({ stream: true, stream_options: { include_usage: true } }),
    )
  })

  test('is counted from its deltas, calls of tools included, where it reports no usage', async () => {
    const call = { tool_calls: [{ index: 0, function: { name: 'weather', arguments: '{}' } }] }
    const deltas = [chunk({ content: 'one two' }), chunk({ content: ' three' }), chunk(call)]
    const { baseUrl } = await startFakeUpstream(answersEvents(deltas.map((each) => JSON.stringify(each))))
    const stream = streamOf(await upstreamAt(baseUrl).stream(callOf({ stream: true })))
    await all(stream)
    expect(stream.usage()).toEqual({ promptTokens: 9, completionTokens: 5 })
  })

  test.each([
    ['breaks off', answersEvents([events[1] ?? '', '{"choices":']), LONG_MS, 'upstream_unreachable'],
    ['falls silent', answersEvents([events[1] ?? ''], { stays: true }), 200, 'upstream_timeout'],
  ])('that %s ends with an error, and keeps what was counted', async (_, answer, silenceMs, code) => {
    const { baseUrl } = await startFakeUpstream(answer)
    const stream = streamOf(await upstreamAt(baseUrl, silenceMs).stream(callOf({ stream: true })))
    expect((await all(stream)).at(-1)).toMatchObject({ error: { code } })
    expect(stream.usage()).toEqual({ promptTokens: 9, completionTokens: 2 })
  })

  test.each([
    ['a role alone, and is cut', answersEvents([events[0] ?? '', '{"choices":']), undefined],
    ['nothing, and is cut', answersEvents(['{"choices":']), undefined],
    ['nothing, and is complete', answersEvents(['[DONE]']), { promptTokens: 9, completionTokens: 0 }],
  ])('that has %s says what is known of its use', async (_, answer, usage) => {
    const { baseUrl } = await startFakeUpstream(answer)
    const stream = streamOf(await upstreamAt(baseUrl).stream(callOf({ stream: true })))
    expect(stream.usage()).toBeUndefined()
    await all(stream)
    expect(stream.usage()).toEqual(usage)
  })

  test('hangs up on the upstream when its reader goes away', async () => {
    const closed = new EventEmitter()
    const { baseUrl } = await startFakeUpstream((response) => {
      response.on('close', () => closed.emit('close'))
      answersEvents([events[1] ?? ''], { stays: true })(response)
    })
    const hungUp = once(closed, 'close')
    const stream = streamOf(await upstreamAt(baseUrl).stream(callOf({ stream: true })))
    for await (const _ of stream.chunks) break
    await hungUp
    expect(stream.usage()?.completionTokens).toBe(2)
  })

  test('that comes as JSON all the same is a whole answer', async () => {
    const { baseUrl } = await startFakeUpstream(answersJson(200, { choices: [], usage: USAGE }))
    expect(await upstreamAt(baseUrl).stream(callOf({ stream: true }))).toMatchObject({ status: 200 })
  })
})

describe('a call that has ended', () => {
  /** A signal that tells how many listen to it. */
  const countingSignal = () => {
    let listeners = 0
    return {
      aborted: false,
      addEventListener() {
        listeners += 1
      },
      removeEventListener() {
        listeners -= 1
      },
      listeners: () => listeners,
    }
  }

  test.each([
    ['a whole answer', answersJson(200, { choices: [] }), {}],
    ['a refusal', answersJson(500, {}), { stream: true }],
    ['a stream', answersEvents(['{"choices":[]}']), { stream: true }],
  ])('as %s leaves no one listening', async (_, answer, request) => {
    const { baseUrl } = await startFakeUpstream(answer)
    const signal = countingSignal()
    const call = callOf(request, signal)
    const given = await (call.request.stream
      ? upstreamAt(baseUrl).stream(call)
      : upstreamAt(baseUrl).complete(call))
    if ('chunks' in given) {
      expect(signal.listeners()).toBe(1)
      await all(given)
    }
    expect(signal.listeners()).toBe(0)
  })
})
