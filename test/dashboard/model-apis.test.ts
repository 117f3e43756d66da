import { describe, expect, test } from 'vitest'
import { bodyOf, MODEL_API_OPTIONS, type ModelApi } from '../../dashboard/try-it/model-apis.ts'
import {
  createBoundedText,
  createStreamedResponse,
  errorIn,
  readWhole,
} from '../../dashboard/try-it/read-response.ts'

const CONTENT = { model: 'gpt-4', prompt: 'Hello', maximum: 5 }
const MESSAGES = [{ role: 'user', content: 'Hello' }]

describe('the body of a request', () => {
  test.each<[ModelApi, object]>([
    ['chat', { model: 'gpt-4', max_tokens: 5, messages: MESSAGES }],
    ['completions', { model: 'gpt-4', max_tokens: 5, prompt: 'Hello' }],
    ['embeddings', { model: 'gpt-4', input: 'Hello' }],
    ['responses', { model: 'gpt-4', max_output_tokens: 5, input: 'Hello' }],
    ['messages', { model: 'gpt-4', max_tokens: 5, messages: MESSAGES }],
    ['count_tokens', { model: 'gpt-4', messages: MESSAGES }],
  ])('of %s has the fields of that API', (api, body) => {
    expect(bodyOf(api, CONTENT, false)).toEqual(body)
    const { max_tokens, max_output_tokens, ...unbounded } = { max_tokens: 0, max_output_tokens: 0, ...body }
    expect(bodyOf(api, { ...CONTENT, maximum: undefined }, false)).toEqual(unbounded)
  })

  test.each<[ModelApi, object]>([
    ['chat', { stream: true, stream_options: { include_usage: true } }],
    ['completions', { stream: true, stream_options: { include_usage: true } }],
    ['embeddings', {}],
    ['responses', { stream: true }],
    ['messages', { stream: true }],
    ['count_tokens', {}],
  ])('of %s requests a stream where the API has one', (api, fields) => {
    expect(bodyOf(api, CONTENT, true)).toEqual({ ...bodyOf(api, CONTENT, false), ...fields })
  })

  test('can be chosen for every API', () => {
    expect(MODEL_API_OPTIONS.map(([api]) => api)).toEqual([
      'chat',
      'completions',
      'embeddings',
      'responses',
      'messages',
      'count_tokens',
    ])
  })
})

const OPENAI_USAGE = { prompt_tokens: 8, completion_tokens: 5, total_tokens: 13 }
const USAGE = { input_tokens: 8, output_tokens: 5 }
const SHOWN = { prompt: 8, completion: 5 }

describe('a whole response', () => {
  test.each<[ModelApi, object, string, object | undefined]>([
    ['chat', { choices: [{ message: { content: 'Hi' } }], usage: OPENAI_USAGE }, 'Hi', SHOWN],
    ['completions', { choices: [{ text: 'Hi' }], usage: OPENAI_USAGE }, 'Hi', SHOWN],
    [
      'embeddings',
      { data: [{ embedding: Array(1536).fill(0) }], usage: { prompt_tokens: 8, total_tokens: 8 } },
      '1 embedding of 1,536 numbers',
      { prompt: 8, completion: 0 },
    ],
    ['embeddings', { data: [{ embedding: 'AAAA' }, { embedding: 'AAAA' }] }, '2 embeddings', undefined],
    [
      'responses',
      {
        output: [
          { type: 'reasoning', summary: [] },
          { type: 'message', content: [{ type: 'output_text', text: 'Hi' }] },
        ],
        usage: USAGE,
      },
      'Hi',
      SHOWN,
    ],
    [
      'messages',
      {
        content: [
          { type: 'text', text: 'Hi' },
          { type: 'text', text: '!' },
        ],
        usage: {
          input_tokens: 1,
          cache_creation_input_tokens: 3,
          cache_read_input_tokens: 4,
          output_tokens: 5,
        },
      },
      'Hi!',
      SHOWN,
    ],
    ['count_tokens', { input_tokens: 8 }, '8 input tokens', undefined],
    ['count_tokens', { input_tokens: 1 }, '1 input token', undefined],
  ])('of %s has its text and usage: %j', (api, body, text, usage) => {
    expect(readWhole(api, body)).toEqual({ text, usage, error: undefined, events: undefined })
  })

  test.each(MODEL_API_OPTIONS)('of %s with other contents has no text', (api) => {
    for (const body of [
      undefined,
      null,
      'text',
      3,
      [],
      {},
      { choices: [null], content: 'x', output: {}, data: 1 },
    ])
      expect(readWhole(api, body)).toMatchObject({ text: '', usage: undefined })
  })
})

const event = (data: object): string => `data: ${JSON.stringify(data)}\n\n`
const named = (data: { readonly type: string; readonly [field: string]: unknown }): string =>
  `event: ${data.type}\n${event(data)}`

/** A stream of each API, with comments, empty pieces and characters of several bytes. */
const STREAMS: readonly (readonly [api: ModelApi, stream: string, events: number])[] = [
  [
    'chat',
    ': ping\n\n' +
      event({ choices: [{ delta: { role: 'assistant', content: '' } }], usage: null }) +
      event({ choices: [{ delta: { content: 'naïve' } }], usage: null }) +
      event({ choices: [{ delta: { content: ' 東京' } }], usage: null }) +
      event({ choices: [{ delta: {}, finish_reason: 'stop' }] }) +
      event({ choices: [], usage: OPENAI_USAGE }) +
      'data: [DONE]\n\n',
    6,
  ],
  [
    'completions',
    event({ choices: [{ text: 'naïve' }], usage: null }) +
      event({ choices: [{ text: ' 東京', finish_reason: 'stop' }], usage: OPENAI_USAGE }) +
      'data: [DONE]\n\n',
    3,
  ],
  [
    'responses',
    named({ type: 'response.created', response: { usage: null } }) +
      named({ type: 'response.reasoning_summary_text.delta', delta: 'hidden' }) +
      named({ type: 'response.output_text.delta', delta: 'naïve' }) +
      named({ type: 'response.output_text.delta', delta: ' 東京' }) +
      named({ type: 'response.output_text.done', text: 'naïve 東京' }) +
      named({ type: 'response.completed', response: { usage: USAGE } }),
    6,
  ],
  [
    'messages',
    named({ type: 'message_start', message: { usage: { input_tokens: 8, output_tokens: 1 } } }) +
      named({ type: 'ping' }) +
      named({ type: 'content_block_delta', delta: { type: 'thinking_delta', thinking: 'hidden' } }) +
      named({ type: 'content_block_delta', delta: { type: 'text_delta', text: 'naïve' } }) +
      named({ type: 'content_block_delta', delta: { type: 'text_delta', text: ' 東京' } }) +
      named({ type: 'message_delta', delta: {}, usage: { output_tokens: 5 } }) +
      named({ type: 'message_stop' }),
    7,
  ],
]

const streamed = (api: ModelApi, pieces: Iterable<string>) => {
  const response = createStreamedResponse(api)
  for (const piece of pieces) response.add(piece)
  return response.read()
}

describe('a stream', () => {
  test.each(STREAMS)('of %s has its text, its usage and its events', (api, stream, events) => {
    const expected = { text: 'naïve 東京', usage: SHOWN, error: undefined, events }
    expect(streamed(api, [stream])).toEqual(expected)
    expect(streamed(api, stream)).toEqual(expected)
    expect(streamed(api, stream.replaceAll('\n', '\r\n'))).toEqual(expected)
  })

  test('shows what has arrived before its end', () => {
    const response = createStreamedResponse('chat')
    response.add(event({ choices: [{ delta: { content: 'Hel' } }] }))
    response.add('data: {"choices":[{"delta":{"content":"lo"')
    expect(response.read()).toMatchObject({ text: 'Hel', events: 1, usage: undefined })
    response.add('}}]}\n\n')
    expect(response.read()).toMatchObject({ text: 'Hello', events: 2 })
  })

  test('has the last usage that is not 0', () => {
    const usage = (prompt_tokens: number, completion_tokens: number) =>
      event({ choices: [], usage: { prompt_tokens, completion_tokens } })
    expect(streamed('chat', [usage(0, 0), usage(7, 4), usage(8, 5), usage(0, 0)]).usage).toEqual(SHOWN)
    expect(streamed('chat', [usage(0, 0)]).usage).toEqual({ prompt: 0, completion: 0 })
  })

  test('goes on after an event that is not JSON', () => {
    const pieces = ['data: {broken\n\n', event({ choices: [{ delta: { content: 'Hello' } }] })]
    expect(streamed('chat', pieces)).toMatchObject({ text: 'Hello', events: 2, error: undefined })
  })

  test.each<[ModelApi, string]>([
    ['chat', event({ error: { message: 'cut off', type: 'server_error' } })],
    ['responses', named({ type: 'error', code: 'x', message: 'cut off' })],
    ['responses', named({ type: 'response.failed', response: { error: { message: 'cut off' } } })],
    ['messages', named({ type: 'error', error: { type: 'api_error', message: 'cut off' } })],
  ])('of %s may contain an error: %s', (api, text) => {
    expect(streamed(api, [text]).error).toBe('cut off')
  })
})

test.each([
  [{ error: 'rate_limit_exceeded', message: 'Exceeded' }, 'Exceeded'],
  [{ error: 'no capacity' }, 'no capacity'],
  [{ error: {} }, 'The error has no message.'],
  [{ error: null }, undefined],
  [{ message: 'not an error' }, undefined],
  [undefined, undefined],
])('the error in %j is %s', (body, message) => {
  expect(errorIn(body)).toBe(message)
})

test('a long text is cut off, and its length is stated', () => {
  const text = createBoundedText()
  text.add('x'.repeat(20_000))
  expect(text.read()).toHaveLength(20_000)
  text.add('yy')
  text.add('z')
  expect(text.read()).toBe(`${'x'.repeat(20_000)}\n… (20003 characters in all)`)
})
