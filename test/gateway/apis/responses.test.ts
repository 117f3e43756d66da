import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../src/core/model/json.ts'
import { responsesApi } from '../../../src/gateway/apis/responses.ts'
import { readAll } from './stream-text.ts'

const USAGE = {
  input_tokens: 100,
  input_tokens_details: { cached_tokens: 60 },
  output_tokens: 30,
  output_tokens_details: { reasoning_tokens: 20 },
  total_tokens: 130,
}
const TEXT_ITEM = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [
    {
      type: 'output_text',
      text: 'Hello',
      annotations: [{ type: 'url_citation', title: 'A page' }],
      logprobs: [{ token: 'Hello' }],
    },
  ],
}
const response = (fields: object) => ({
  id: 'resp_1',
  object: 'response',
  error: null,
  output: [],
  ...fields,
})
const last = (type: string, fields: object = {}) => ({ type, response: response(fields) })
const textDelta = (delta: string) => ({ type: 'response.output_text.delta', item_id: 'msg_1', delta })

const streamOf = (...events: readonly (string | object)[]) => {
  const reader = responsesApi.createStreamReader({ input: 'Hi', stream: true })
  return { reader, results: readAll(reader, events) }
}

describe('a stream of the Responses API', () => {
  test('passes whole, has the usage in its last event, and no [DONE]', () => {
    const { reader, results } = streamOf(
      { type: 'response.created', response: response({ usage: null }) },
      textDelta('Hel'),
      textDelta('lo'),
      { type: 'response.output_text.done', text: 'Hello' },
      last('response.completed', { output: [TEXT_ITEM], usage: USAGE }),
    )
    expect(new Set(results)).toEqual(new Set(['send']))
    expect(reader.takeText()).toBe('Hello')
    expect(reader.usage()).toEqual({
      inputTokens: 100,
      outputTokens: 30,
      cachedInputTokens: 60,
      responseId: 'resp_1',
    })
    expect([reader.isComplete(), reader.failure(), reader.ending]).toEqual([true, undefined, ''])
  })

  test.each([
    ['response.completed', true],
    ['response.incomplete', true],
    ['response.failed', true],
    ['response.in_progress', false],
  ])('after %s: whether it is complete', (type, isComplete) => {
    expect(streamOf(textDelta('x'), last(type)).reader.isComplete()).toBe(isComplete)
  })

  test.each<[string, object, boolean, string]>([
    ['text', textDelta('x'), true, 'x'],
    ['a refusal', { type: 'response.refusal.delta', delta: 'No' }, true, 'No'],
    ['reasoning', { type: 'response.reasoning_summary_text.delta', delta: 'Hm' }, true, 'Hm'],
    ['arguments', { type: 'response.function_call_arguments.delta', delta: '{"a' }, true, '{"a'],
    [
      'a call',
      { type: 'response.output_item.added', item: { type: 'function_call', name: 'f', arguments: '' } },
      true,
      'f',
    ],
    [
      'the begin of a message',
      { type: 'response.output_item.added', item: { type: 'message', content: [] } },
      false,
      '',
    ],
    ['audio', { type: 'response.audio.delta', delta: 'AAAA' }, true, ''],
    [
      'a part of an image',
      { type: 'response.image_generation_call.partial_image', partial_image_b64: 'AAAA' },
      true,
      '',
    ],
    ['an empty delta', textDelta(''), false, ''],
  ])('has output after %s', (_, event, hasOutput, text) => {
    const { reader } = streamOf(event)
    expect([reader.hasOutput(), reader.takeText()]).toEqual([hasOutput, text])
  })

  test('is read by the names of events whose data has no type', () => {
    const reader = responsesApi.createStreamReader({})
    reader.read({
      name: 'response.completed',
      data: JSON.stringify({ response: response({ usage: USAGE }) }),
    })
    expect([reader.isComplete(), reader.usage()?.outputTokens]).toEqual([true, 30])
  })

  test('without deltas has the text of its last event', () => {
    expect(streamOf(last('response.completed', { output: [TEXT_ITEM] })).reader.takeText()).toBe('Hello')
  })

  test.each<[string, object, string]>([
    ['an error event', { type: 'error', code: 'server_error', message: 'no', param: null }, 'no'],
    [
      'a failed response',
      last('response.failed', { error: { code: 'server_error', message: 'down' } }),
      'down',
    ],
  ])('has a failure after %s', (_, event, message) => {
    const { reader, results } = streamOf(event)
    expect(results).toEqual(['send'])
    expect(reader.failure()).toMatchObject({ status: 502, code: 'server_error', message })
  })

  test('keeps the usage of a response that failed', () => {
    const event = last('response.failed', { error: { code: 'server_error', message: 'no' }, usage: USAGE })
    expect(streamOf(textDelta('x'), event).reader.usage()?.outputTokens).toBe(30)
  })
})

test('a whole response has its text and usage', () => {
  const call = {
    type: 'function_call',
    id: 'fc_1',
    call_id: 'call_1',
    name: 'f',
    arguments: '{"a":1}',
    status: 'completed',
  }
  const body: JsonObject = { id: 'resp_1', error: null, output: [TEXT_ITEM, call], usage: USAGE }
  expect(responsesApi.textOf(body)).toBe('Hellof{"a":1}')
  expect(responsesApi.usageOf(body)).toEqual({
    inputTokens: 100,
    outputTokens: 30,
    cachedInputTokens: 60,
    responseId: 'resp_1',
  })
  expect(responsesApi.usageOf({ ...body, usage: { input_tokens: 100, output_tokens: 0 } })).toBe(undefined)
})

test.each<[string, JsonObject, number | null, JsonObject]>([
  ['the bound', {}, 77, { max_output_tokens: 77 }],
  ['its own maximum', { max_output_tokens: 5 }, null, { max_output_tokens: 5 }],
  ['the maximum that only other APIs know', { max_tokens: 5 }, null, { max_tokens: 5, max_output_tokens: 5 }],
])('the body for an upstream has %s', (_, body, outputBound, expected) => {
  const accepts = { streamOptions: true, maxCompletionTokens: true }
  expect(
    responsesApi.upstreamBody({ input: 'Hi', stream: true, ...body }, { model: 'm', outputBound, accepts }),
  ).toEqual({ input: 'Hi', stream: true, model: 'm', ...expected })
})
