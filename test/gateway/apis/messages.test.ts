import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../src/core/model/json.ts'
import { messagesApi } from '../../../src/gateway/apis/messages.ts'
import { readAll } from './stream-text.ts'

const START = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    content: [],
    stop_reason: null,
    usage: {
      input_tokens: 25,
      cache_creation_input_tokens: 30,
      cache_read_input_tokens: 45,
      output_tokens: 1,
    },
  },
}
const INPUT = { inputTokens: 100, cachedInputTokens: 45, cacheWriteTokens: 30 }
const begin = (content_block: object) => ({ type: 'content_block_start', index: 0, content_block })
const delta = (value: object) => ({ type: 'content_block_delta', index: 0, delta: value })
const TEXT = delta({ type: 'text_delta', text: 'Hello' })
const END = { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 15 } }

const streamOf = (...events: readonly (string | object)[]) => {
  const reader = messagesApi.createStreamReader({ messages: [], stream: true })
  return { reader, results: readAll(reader, events) }
}

describe('a stream of messages', () => {
  test('passes whole, with pings, and ends without [DONE]', () => {
    const { reader, results } = streamOf(
      START,
      begin({ type: 'text', text: '' }),
      { type: 'ping' },
      TEXT,
      { type: 'content_block_stop', index: 0 },
      END,
      { type: 'message_stop' },
    )
    expect(new Set(results)).toEqual(new Set(['send']))
    expect(reader.usage()).toEqual({ ...INPUT, outputTokens: 15 })
    expect([reader.isComplete(), reader.takeText(), reader.ending]).toEqual([true, 'Hello', ''])
  })

  test('that is left before its usage has the input of its start', () => {
    const { reader } = streamOf(START, TEXT)
    expect([reader.usage(), reader.inputUsage()]).toEqual([undefined, INPUT])
    expect(reader.isComplete()).toBe(false)
  })

  test('has the cumulative output of the last delta', () => {
    const { reader } = streamOf(START, TEXT, END, { ...END, usage: { output_tokens: 20 } })
    expect(reader.usage()).toEqual({ ...INPUT, outputTokens: 20 })
  })

  test('has the input of a delta that repeats it, corrected', () => {
    const usage = { input_tokens: 60, cache_read_input_tokens: 45, output_tokens: 15 }
    expect(streamOf(START, TEXT, { ...END, usage }).reader.usage()).toEqual({
      inputTokens: 105,
      cachedInputTokens: 45,
      outputTokens: 15,
    })
  })

  test.each([
    ['zeros', { input_tokens: 0, output_tokens: 0 }],
    ['nothing', undefined],
    ['no counts', { input_tokens: null, output_tokens: null }],
  ])('whose end has a usage of %s beside text is to be counted', (_, usage) => {
    const { reader } = streamOf(START, TEXT, { ...END, usage })
    expect([reader.usage(), reader.inputUsage()]).toEqual([undefined, INPUT])
  })

  test.each<[string, readonly object[], boolean]>([
    ['text', [START, TEXT], false],
    ['a stop reason', [START, END], true],
    ['its last event', [START, { type: 'message_stop' }], true],
    ['a delta without a stop reason', [START, { ...END, delta: { stop_reason: null } }], false],
  ])('after %s: whether it is complete', (_, events, isComplete) => {
    expect(streamOf(...events).reader.isComplete()).toBe(isComplete)
  })

  test.each<[string, object, boolean, string]>([
    ['the begin of a text', begin({ type: 'text', text: '' }), false, ''],
    ['text', TEXT, true, 'Hello'],
    ['the begin of thinking', begin({ type: 'thinking', thinking: '' }), false, ''],
    ['thinking', delta({ type: 'thinking_delta', thinking: 'Hm' }), true, 'Hm'],
    ['hidden thinking', begin({ type: 'redacted_thinking', data: 'AAAA' }), true, ''],
    ['a tool', begin({ type: 'tool_use', id: 'toolu_1', name: 'f', input: {} }), true, 'f'],
    ['arguments', delta({ type: 'input_json_delta', partial_json: '{"a' }), true, '{"a'],
    ['a signature', delta({ type: 'signature_delta', signature: 'AAAA' }), false, ''],
    ['a citation', delta({ type: 'citations_delta', citation: { cited_text: 'x' } }), true, ''],
    ['a ping', { type: 'ping' }, false, ''],
  ])('has output after %s', (_, event, hasOutput, text) => {
    const { reader } = streamOf(event)
    expect([reader.hasOutput(), reader.takeText()]).toEqual([hasOutput, text])
  })

  test('has a failure after an error event, also if only its name says so', () => {
    const error = { type: 'overloaded_error', message: 'Overloaded' }
    expect(streamOf({ type: 'error', error }).reader.failure()).toMatchObject({
      status: 529,
      message: 'Overloaded',
    })
    const reader = messagesApi.createStreamReader({})
    reader.read({ name: 'error', data: JSON.stringify({ error }) })
    expect(reader.failure()).toMatchObject({ status: 529 })
  })

  test('sends what it cannot read, and drops empty data', () => {
    expect(streamOf('{"type":', '', '[DONE]').results).toEqual(['send', 'drop', 'send'])
  })
})

describe('a whole message', () => {
  const message = (content: object[], usage: object): JsonObject =>
    JSON.parse(JSON.stringify({ type: 'message', content, usage }))

  test.each<[string, object, object | undefined]>([
    ['tokens in caches', START.message.usage, { ...INPUT, outputTokens: 1 }],
    [
      'nulls in caches',
      { input_tokens: 3, cache_read_input_tokens: null, output_tokens: 2 },
      { inputTokens: 3, outputTokens: 2 },
    ],
    [
      'all input cached',
      { input_tokens: 0, cache_read_input_tokens: 50, output_tokens: 2 },
      { inputTokens: 50, cachedInputTokens: 50, outputTokens: 2 },
    ],
    ['no output beside text', { input_tokens: 3, output_tokens: 0 }, undefined],
    ['no input', { output_tokens: 3 }, undefined],
  ])('with %s', (_, usage, expected) => {
    expect(messagesApi.usageOf(message([{ type: 'text', text: 'Hi' }], usage))).toEqual(expected)
  })

  test('has the text of its blocks, and the arguments of its calls as JSON', () => {
    const content = [
      { type: 'thinking', thinking: 'Hm. ', signature: 'AAAA' },
      { type: 'text', text: 'Hello ', citations: null },
      { type: 'tool_use', id: 'toolu_1', name: 'add', input: { a: 1, b: ['x'] } },
      { type: 'web_search_tool_result', tool_use_id: 'srv_1', content: [{ title: 'A page' }] },
    ]
    expect(messagesApi.textOf(message(content, {}))).toBe('Hm. Hello add{"a":1,"b":["x"]}')
  })
})

test.each<[string, JsonObject, number | null, JsonObject]>([
  ['the bound', {}, 77, { max_tokens: 77 }],
  ['its own maximum', { max_tokens: 5 }, null, { max_tokens: 5 }],
  [
    'the maximum that only other APIs know',
    { max_completion_tokens: 5 },
    null,
    { max_completion_tokens: 5, max_tokens: 5 },
  ],
])('the body for an upstream has %s', (_, body, outputBound, expected) => {
  const accepts = { streamOptions: true, maxCompletionTokens: true }
  expect(
    messagesApi.upstreamBody({ messages: [], stream: true, ...body }, { model: 'm', outputBound, accepts }),
  ).toEqual({
    messages: [],
    stream: true,
    model: 'm',
    ...expected,
  })
})
