import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import type { ChatCall, ChatRequest } from '../../src/core/ports/chat-backend.ts'
import { type Delay, timerDelay } from '../../src/gateway/chat-objects.ts'
import { createSimulatedModel } from '../../src/gateway/simulated-model.ts'
import { loadO200k } from '../../src/gateway/token-counter.ts'

const clock = { now: () => 1_694_268_190_999_000_000n, monotonic: () => 0n }
const none: Delay = async () => {}
const model = createSimulatedModel({ clock, delay: none, latencyMs: 0, nodeId: 'node-1' })

const callOf = (
  request: Partial<ChatRequest>,
  signal: ChatCall['signal'] = new AbortController().signal,
): ChatCall => ({
  request: { model: 'gpt-4', messages: [], ...request },
  promptTokens: 9,
  requestId: 'req_1',
  signal,
})

const said = v.optional(v.object({ content: v.optional(v.string(), '') }))
const saying = v.object({ choices: v.tuple([v.object({ message: said, delta: said })]) })

const manySaying = v.object({ choices: v.array(v.object({ message: said })) })

/** The text of each choice of a complete response. */
const textsIn = (body: unknown): readonly string[] =>
  v.parse(manySaying, body).choices.map(({ message }) => message?.content ?? '')

/** The text of the only choice of a response or a chunk. */
const saidIn = (body: unknown): string => {
  const [{ message, delta }] = v.parse(saying, body).choices
  return (message ?? delta)?.content ?? ''
}

const chunksOf = async (call: ChatCall) => {
  const stream = await model.stream(call)
  if (!('chunks' in stream)) throw new Error('It did not stream')
  const chunks = []
  for await (const chunk of stream.chunks) chunks.push(chunk)
  return { chunks, usage: stream.usage() }
}

describe('a complete response', () => {
  test.each([
    ['16 tokens by default', {}, 16],
    ['max_tokens', { max_tokens: 50 }, 50],
    ['as many for each choice', { max_tokens: 50, n: 3 }, 150],
    ['nulls as nothing', { max_tokens: null, max_completion_tokens: null, n: null }, 16],
    ['more than anyone would read', { max_tokens: 1_000_000, n: 128 }, 128_000_000],
  ])('uses %s', async (_, request, completionTokens) => {
    expect(model.mostCompletionTokens(callOf(request).request)).toBe(completionTokens)
    expect((await model.complete(callOf(request))).usage).toEqual({ promptTokens: 9, completionTokens })
  })

  test('uses max_completion_tokens if both are given, and bounds the cost by the larger', async () => {
    const call = callOf({ max_tokens: 50, max_completion_tokens: 7 })
    expect((await model.complete(call)).usage).toMatchObject({ completionTokens: 7 })
    expect(model.mostCompletionTokens(call.request)).toBe(50)
  })

  test("has OpenAI's shape, and contains the node", async () => {
    const { status, body } = await model.complete(callOf({ max_tokens: 2, n: 2 }))
    const choice = {
      message: { role: 'assistant', content: 'This response', refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    }
    expect([status, body]).toEqual([
      200,
      {
        id: 'chatcmpl-req_1',
        object: 'chat.completion',
        created: 1_694_268_190,
        model: 'gpt-4',
        choices: [
          { index: 0, ...choice },
          { index: 1, ...choice },
        ],
        usage: { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 },
        node_id: 'node-1',
      },
    ])
  })

  test.each<[string, Partial<ChatRequest>, number]>([
    ['n: 1', {}, 16_384],
    ['n: 1 and 16,384 tokens', { max_tokens: 16_384 }, 16_384],
    ['n: 4', { n: 4 }, 4096],
    ['n: 100', { n: 100 }, 163],
    ['n: 128', { n: 128 }, 128],
    ['n: 128 and 3 tokens', { n: 128, max_tokens: 3 }, 3],
  ])('contains at most 16,384 words in all choices together: %s', async (_, request, words) => {
    const count = await loadO200k()
    const call = callOf({ max_tokens: 1_000_000, ...request })
    const texts = textsIn((await model.complete(call)).body)
    expect(texts.length).toBe(request.n ?? 1)
    expect(new Set(texts.map(count))).toEqual(new Set([words]))
  })

  test.each([1, 2, 5, 16, 17, 50, 200, 1000])('of %d tokens counts as that many', async (max_tokens) => {
    const count = await loadO200k()
    const { body } = await model.complete(callOf({ max_tokens }))
    expect(count(saidIn(body))).toBe(max_tokens)
  })
})

describe('a streamed response', () => {
  const base = {
    id: 'chatcmpl-req_1',
    object: 'chat.completion.chunk',
    created: 1_694_268_190,
    model: 'gpt-4',
  }
  const choice = (delta: object, finish_reason: string | null = null) => ({
    choices: [{ index: 0, delta, logprobs: null, finish_reason }],
  })

  test('starts with the role, contains the text, and stops', async () => {
    const { chunks, usage } = await chunksOf(callOf({ max_tokens: 2, stream: true }))
    expect(chunks).toEqual([
      { ...base, ...choice({ role: 'assistant', content: '' }) },
      { ...base, ...choice({ content: 'This' }) },
      { ...base, ...choice({ content: ' response' }) },
      { ...base, ...choice({}, 'stop') },
    ])
    expect(usage).toEqual({ promptTokens: 9, completionTokens: 2 })
  })

  test('ends with the usage if requested, which is null before', async () => {
    const { chunks } = await chunksOf(
      callOf({ max_tokens: 1, stream: true, stream_options: { include_usage: true } }),
    )
    expect(chunks.slice(0, -1).map((chunk) => chunk.usage)).toEqual([null, null, null])
    expect(chunks.at(-1)).toEqual({
      ...base,
      choices: [],
      usage: { prompt_tokens: 9, completion_tokens: 1, total_tokens: 10 },
    })
  })

  test('has the same text as a complete one, in a bounded number of chunks', async () => {
    const { chunks } = await chunksOf(callOf({ max_tokens: 10_000 }))
    const { body } = await model.complete(callOf({ max_tokens: 10_000 }))
    expect(chunks.map(saidIn).join('')).toBe(saidIn(body))
    expect(chunks.length).toBeLessThan(260)
  })

  test.each<[string, Partial<ChatRequest>]>([
    ['16,384 tokens in each of 128 choices', { n: 128, max_tokens: 16_384 }],
    ['1,000,000 tokens in each of 5 choices', { n: 5, max_tokens: 1_000_000 }],
    ['1,000,000 tokens in one', { max_tokens: 1_000_000 }],
  ])('contains the same words as a complete one: %s', async (_, request) => {
    const call = callOf({ ...request, stream: true })
    const { chunks, usage } = await chunksOf(call)
    const whole = await model.complete(call)
    expect(chunks.map(saidIn).join('')).toBe(textsIn(whole.body).join(''))
    expect(usage).toEqual(whole.usage)
    // per choice the role, at most 1,024 parts of text, and the end
    const choices = request.n ?? 1
    expect(chunks.length).toBeLessThanOrEqual(3 * choices + 1024)
  })

  test('counts the consumed part when it is aborted', async () => {
    const gone = new AbortController()
    const stream = await model.stream(callOf({ max_tokens: 100, stream: true }, gone.signal))
    if (!('chunks' in stream)) throw new Error('It did not stream')
    const reading = stream.chunks[Symbol.asyncIterator]()
    for (let i = 0; i < 4; i++) await reading.next()
    gone.abort()
    await expect(reading.next()).rejects.toThrow('aborted')
    expect(stream.usage()).toEqual({ promptTokens: 9, completionTokens: 3 })
  })
})

describe('latency', () => {
  test('delays the response, and the first chunk of a stream', async () => {
    const waits: number[] = []
    const delay: Delay = async (ms) => {
      waits.push(ms)
    }
    const late = createSimulatedModel({ clock, delay, latencyMs: 250, nodeId: null })
    expect((await late.complete(callOf({}))).body).toHaveProperty('node_id', null)
    await late.stream(callOf({}))
    expect(waits).toEqual([250, 250])
  })

  test('ends if the caller disconnects', async () => {
    const gone = new AbortController()
    const late = createSimulatedModel({ clock, delay: timerDelay, latencyMs: 3_600_000, nodeId: null })
    const response = late.complete(callOf({}, gone.signal))
    gone.abort()
    await expect(response).rejects.toThrow('aborted')
    await expect(late.stream(callOf({}, gone.signal))).rejects.toThrow('aborted')
  })
})
