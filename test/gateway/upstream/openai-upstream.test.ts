import { EventEmitter, once } from 'node:events'
import { describe, expect, test } from 'vitest'
import type { ChatCall, ChatResponse, ChatStream } from '../../../src/core/ports/chat-backend.ts'
import { silentLogger } from '../../../src/core/ports/platform.ts'
import { createTokenCounter } from '../../../src/gateway/token-counter.ts'
import { createOpenAiUpstream } from '../../../src/gateway/upstream/openai-upstream.ts'
import { respondsEvents, respondsJson, startFakeUpstream } from './fake-upstream.ts'

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

const streamOf = (response: ChatStream | ChatResponse): ChatStream => {
  if (!('chunks' in response)) throw new Error(`It did not stream: ${JSON.stringify(response)}`)
  return response
}

const all = async (stream: ChatStream) => {
  const chunks = []
  for await (const chunk of stream.chunks) chunks.push(chunk)
  return chunks
}

const chunk = (delta: object, rest: object = {}) => ({ id: 'c1', choices: [{ index: 0, delta }], ...rest })
const USAGE = { prompt_tokens: 11, completion_tokens: 22, total_tokens: 33 }

describe('a complete response', () => {
  test("is requested with zael's own key, and returned with its usage", async () => {
    const body = { id: 'c1', choices: [], usage: USAGE }
    const { baseUrl, received } = await startFakeUpstream(respondsJson(200, body))
    const response = await upstreamAt(`${baseUrl}/`).complete(callOf({ temperature: 0.5, seed: 7 }))
    expect(response).toEqual({ status: 200, body, usage: { promptTokens: 11, completionTokens: 22 } })
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

  test('is counted if it reports no usage', async () => {
    const body = { choices: [{ message: { role: 'assistant', content: 'one two three' } }] }
    const { baseUrl } = await startFakeUpstream(respondsJson(200, body))
    expect((await upstreamAt(baseUrl).complete(callOf())).usage).toEqual({
      promptTokens: 9,
      completionTokens: 3,
    })
  })

  test('reserves the requested tokens, and an assumed number by default', () => {
    const upstream = upstreamAt('http://127.0.0.1:1')
    expect(upstream.mostCompletionTokens(callOf({ max_tokens: 50, n: 2 }).request)).toBe(100)
    expect(upstream.mostCompletionTokens(callOf().request)).toBe(1024)
  })
})

describe('an error response', () => {
  const error = { message: 'Slow down', type: 'requests', param: null, code: 'rate_limit_exceeded' }

  test.each([false, true])('is returned with its status and retry time (stream: %s)', async (stream) => {
    const { baseUrl } = await startFakeUpstream(
      respondsJson(429, { error }, { 'retry-after': '7', 'x-other': 'no' }),
    )
    const upstream = upstreamAt(baseUrl)
    const response = await (stream ? upstream.stream(callOf({ stream })) : upstream.complete(callOf()))
    expect(response).toEqual({
      status: 429,
      body: { error },
      usage: undefined,
      headers: { 'retry-after': '7' },
    })
  })

  test("about zael's own key becomes a 502 that reveals nothing of it", async () => {
    const shown = { error: { ...error, message: 'Incorrect API key provided: sk-upst***eam' } }
    const { baseUrl } = await startFakeUpstream(respondsJson(401, shown))
    const response = await upstreamAt(baseUrl).complete(callOf())
    expect(response.status).toBe(502)
    expect(JSON.stringify(response.body)).not.toContain('sk-upst')
  })

  test('that is not JSON gets a JSON body', async () => {
    const { baseUrl } = await startFakeUpstream((response) => response.writeHead(503).end('<html>'))
    const { status, body } = await upstreamAt(baseUrl).complete(callOf())
    expect([status, body]).toMatchObject([
      503,
      { error: { type: 'server_error', code: 'upstream_error', param: null } },
    ])
  })
})

describe('an unreachable upstream', () => {
  test.each([
    ['refuses connections', (r: { destroy(): void }) => r.destroy(), 502, 'upstream_unreachable', LONG_MS],
    ['is silent for too long', () => {}, 504, 'upstream_timeout', 50],
  ])('that %s leads to an error response', async (_, response, status, code, silenceMs) => {
    const { baseUrl } = await startFakeUpstream(response)
    const upstream = upstreamAt(baseUrl, silenceMs)
    expect(await upstream.complete(callOf())).toMatchObject({ status, body: { error: { code } } })
    expect(await upstream.stream(callOf({ stream: true }))).toMatchObject({
      status,
      body: { error: { code } },
    })
  })

  test('leads to an abort if the caller has disconnected', async () => {
    const gone = new AbortController()
    const { baseUrl } = await startFakeUpstream(() => gone.abort())
    await expect(upstreamAt(baseUrl).complete(callOf({}, gone.signal))).rejects.toThrow('aborted')
  })
})

describe('a streamed response', () => {
  const events = [
    chunk({ role: 'assistant', content: '' }, { usage: null }),
    chunk({ content: 'one two' }, { usage: null }),
    { id: 'c1', choices: [], usage: USAGE },
  ].map((each) => JSON.stringify(each))

  test('is always requested with its usage, which is returned to those who requested it', async () => {
    const { baseUrl, received } = await startFakeUpstream(respondsEvents([...events, '[DONE]']))
    const upstream = upstreamAt(baseUrl)
    const withUsage = streamOf(
      await upstream.stream(callOf({ stream: true, stream_options: { include_usage: true } })),
    )
    const plain = streamOf(await upstream.stream(callOf({ stream: true })))
    expect(await all(withUsage)).toEqual(events.map((event) => JSON.parse(event)))
    expect(await all(plain)).toEqual([
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'one two' }),
    ])
    for (const stream of [withUsage, plain])
      expect(stream.usage()).toEqual({ promptTokens: 11, completionTokens: 22 })
    expect(received.map(({ body }) => body)).toMatchObject(
      Array(2).fill({ stream: true, stream_options: { include_usage: true } }),
    )
  })

  test('is counted from its deltas, including tool calls, if it reports no usage', async () => {
    const call = { tool_calls: [{ index: 0, function: { name: 'weather', arguments: '{}' } }] }
    const deltas = [chunk({ content: 'one two' }), chunk({ content: ' three' }), chunk(call)]
    const { baseUrl } = await startFakeUpstream(respondsEvents(deltas.map((each) => JSON.stringify(each))))
    const stream = streamOf(await upstreamAt(baseUrl).stream(callOf({ stream: true })))
    await all(stream)
    expect(stream.usage()).toEqual({ promptTokens: 9, completionTokens: 5 })
  })

  test.each([
    ['breaks off', respondsEvents([events[1] ?? '', '{"choices":']), LONG_MS, 'upstream_unreachable'],
    ['falls silent', respondsEvents([events[1] ?? ''], { stays: true }), 200, 'upstream_timeout'],
  ])('that %s ends with an error, and keeps what was counted', async (_, response, silenceMs, code) => {
    const { baseUrl } = await startFakeUpstream(response)
    const stream = streamOf(await upstreamAt(baseUrl, silenceMs).stream(callOf({ stream: true })))
    expect((await all(stream)).at(-1)).toMatchObject({ error: { code } })
    expect(stream.usage()).toEqual({ promptTokens: 9, completionTokens: 2 })
  })

  test.each([
    ['a role alone, and is cut', respondsEvents([events[0] ?? '', '{"choices":']), undefined],
    ['nothing, and is cut', respondsEvents(['{"choices":']), undefined],
    ['nothing, and is complete', respondsEvents(['[DONE]']), { promptTokens: 9, completionTokens: 0 }],
  ])('that has %s reports the counted use', async (_, response, usage) => {
    const { baseUrl } = await startFakeUpstream(response)
    const stream = streamOf(await upstreamAt(baseUrl).stream(callOf({ stream: true })))
    expect(stream.usage()).toBeUndefined()
    await all(stream)
    expect(stream.usage()).toEqual(usage)
  })

  test('closes the upstream connection when its reader disconnects', async () => {
    const closed = new EventEmitter()
    const { baseUrl } = await startFakeUpstream((response) => {
      response.on('close', () => closed.emit('close'))
      respondsEvents([events[1] ?? ''], { stays: true })(response)
    })
    const hungUp = once(closed, 'close')
    const stream = streamOf(await upstreamAt(baseUrl).stream(callOf({ stream: true })))
    for await (const _ of stream.chunks) break
    await hungUp
    expect(stream.usage()?.completionTokens).toBe(2)
  })

  test('that arrives as JSON is treated as a complete response', async () => {
    const { baseUrl } = await startFakeUpstream(respondsJson(200, { choices: [], usage: USAGE }))
    expect(await upstreamAt(baseUrl).stream(callOf({ stream: true }))).toMatchObject({ status: 200 })
  })
})

describe('a finished call', () => {
  /** A signal that counts its listeners. */
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
    ['a complete response', respondsJson(200, { choices: [] }), {}],
    ['a refusal', respondsJson(500, {}), { stream: true }],
    ['a stream', respondsEvents(['{"choices":[]}']), { stream: true }],
  ])('with %s leaves no listener', async (_, response, request) => {
    const { baseUrl } = await startFakeUpstream(response)
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
