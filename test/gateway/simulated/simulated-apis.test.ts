import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import type { ModelApi } from '../../../src/core/ports/model-backend.ts'
import { wireApis } from '../../../src/gateway/apis/wire-apis.ts'
import { callOf, countTokens, dataOf, streamOf, wholeOf } from './simulated-calls.ts'

const WEATHER = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 3 } },
  required: ['city', 'days'],
}
const ARGUMENTS = '{"city":"simulated","days":3}'

const CALL = {
  chat: {
    tools: [{ type: 'function', function: { name: 'weather', parameters: WEATHER } }],
    tool_choice: 'required',
  },
  responses: { tools: [{ type: 'function', name: 'weather', parameters: WEATHER }], tool_choice: 'required' },
  messages: { tools: [{ name: 'weather', input_schema: WEATHER }], tool_choice: { type: 'any' } },
}

describe('the stream of each API', () => {
  test.each<[ModelApi, string, object]>([
    ['chat', 'words', { max_tokens: 500 }],
    ['chat', 'choices', { n: 3 }],
    ['chat', 'a call', CALL.chat],
    ['completions', 'words', { max_tokens: 500 }],
    ['completions', 'prompts', { prompt: ['a', 'b'], n: 2 }],
    ['responses', 'words', { max_output_tokens: 500 }],
    ['responses', 'words by default', {}],
    ['responses', 'a call', CALL.responses],
    ['messages', 'words', { max_tokens: 500 }],
    ['messages', 'a call', CALL.messages],
  ])('%s: is read as its whole response is (%s)', async (api, _, body) => {
    const call = callOf(api, { ...body, stream_options: { include_usage: true } })
    const [stream, whole] = [await streamOf(call), await wholeOf(call)]
    const reader = wireApis[api].createStreamReader(call.body)
    const verdicts = stream.events.map((event) => reader.read(event))
    expect(verdicts.slice(0, -1).every((verdict) => verdict === 'send')).toBe(true)
    expect([reader.isComplete(), reader.hasOutput(), reader.failure()]).toEqual([true, true, undefined])
    expect(reader.takeText()).toBe(wireApis[api].textOf(whole.body))
    expect(reader.usage()).toEqual(wireApis[api].usageOf(whole.body))
    // the charge has no counts of caches, which are zero
    expect({ of: 'usage', usage: reader.usage() }).toMatchObject(stream.charge)
    expect(stream.charge).toEqual(whole.charge)
  })
})

describe('completions', () => {
  test('have a text for each prompt and choice', async () => {
    const { body, charge } = await wholeOf(callOf('completions', { prompt: ['a', 'b'], n: 2, max_tokens: 2 }))
    const choice = { text: 'This response', logprobs: null, finish_reason: 'length' }
    expect(body).toEqual({
      id: 'cmpl-req_1',
      object: 'text_completion',
      created: 1_694_268_190,
      model: 'gpt-4',
      choices: [0, 1, 2, 3].map((index) => ({ index, ...choice })),
      usage: { prompt_tokens: 9, completion_tokens: 8, total_tokens: 17 },
      node_id: 'node-1',
    })
    expect(charge).toEqual({ of: 'usage', usage: { inputTokens: 9, outputTokens: 8 } })
  })

  test('charge what is not the best, and do not show it', async () => {
    const { body, charge } = await wholeOf(callOf('completions', { best_of: 5, max_tokens: 2 }))
    expect([body.choices, charge]).toMatchObject([[{ index: 0 }], { usage: { outputTokens: 10 } }])
    expect((await streamOf(callOf('completions', { best_of: 5, max_tokens: 2 }))).charge).toEqual(charge)
  })
})

describe('responses', () => {
  test('have an output that is complete, or cut by the maximum', async () => {
    const cut = (await wholeOf(callOf('responses', { max_output_tokens: 2 }))).body
    expect(cut).toMatchObject({
      id: 'resp_req_1',
      object: 'response',
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      error: null,
      output: [
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'This response' }] },
      ],
      usage: { input_tokens: 9, output_tokens: 2, total_tokens: 11 },
    })
    expect((await wholeOf(callOf('responses', {}))).body).toMatchObject({
      status: 'completed',
      incomplete_details: null,
    })
  })

  test('are charged with the id by which they are continued', async () => {
    const { charge } = await wholeOf(callOf('responses', {}))
    expect(charge).toEqual({
      of: 'usage',
      usage: { inputTokens: 9, outputTokens: 16, responseId: 'resp_req_1' },
    })
  })

  test('are streamed as numbered, named events', async () => {
    const { events } = await streamOf(callOf('responses', { max_output_tokens: 1 }))
    expect(events.map(({ name }) => name)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.incomplete',
    ])
    expect(events.map(dataOf).map(({ type, sequence_number }) => [type, sequence_number])).toEqual(
      events.map(({ name }, index) => [name, index]),
    )
  })

  test('call a tool', async () => {
    const { body } = await wholeOf(callOf('responses', CALL.responses))
    expect(body.output).toEqual([
      {
        id: 'fc_req_1',
        call_id: 'call_req_1',
        type: 'function_call',
        status: 'completed',
        name: 'weather',
        arguments: ARGUMENTS,
      },
    ])
  })

  test('fit a schema', async () => {
    const text = { format: { type: 'json_schema', name: 'x', schema: WEATHER } }
    expect((await wholeOf(callOf('responses', { text }))).body.output).toMatchObject([
      { content: [{ text: ARGUMENTS }] },
    ])
  })
})

describe('messages', () => {
  test('have a text that ends, or is cut by the maximum', async () => {
    expect((await wholeOf(callOf('messages', { max_tokens: 2 }))).body).toEqual({
      id: 'msg_req_1',
      type: 'message',
      role: 'assistant',
      model: 'gpt-4',
      content: [{ type: 'text', text: 'This response' }],
      stop_reason: 'max_tokens',
      stop_sequence: null,
      usage: {
        input_tokens: 9,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        output_tokens: 2,
      },
      node_id: 'node-1',
    })
    expect((await wholeOf(callOf('messages', {}))).body).toMatchObject({ stop_reason: 'end_turn' })
  })

  test('are streamed as named events, whose first has the input', async () => {
    const { events } = await streamOf(callOf('messages', { max_tokens: 1 }))
    expect(events.map(({ name }) => name)).toEqual([
      'message_start',
      'content_block_start',
      'ping',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ])
    expect(events.map(dataOf)).toMatchObject([
      { type: 'message_start', message: { content: [], usage: { input_tokens: 9 } } },
      { type: 'content_block_start', content_block: { type: 'text', text: '' } },
      {},
      { delta: { type: 'text_delta', text: 'This' } },
      {},
      { delta: { stop_reason: 'max_tokens' }, usage: { output_tokens: 1 } },
      {},
    ])
  })

  test.each([{ type: 'any' }, { type: 'tool', name: 'weather' }])(
    'call a tool for the choice %j',
    async (tool_choice) => {
      const { body } = await wholeOf(callOf('messages', { ...CALL.messages, tool_choice }))
      expect(body).toMatchObject({
        content: [
          { type: 'tool_use', id: 'toolu_req_1', name: 'weather', input: { city: 'simulated', days: 3 } },
        ],
        stop_reason: 'tool_use',
      })
    },
  )

  test.each([
    { output_format: { type: 'json_schema', schema: WEATHER } },
    { output_config: { format: { type: 'json_schema', schema: WEATHER } } },
  ])('fit a schema (%#)', async (format) => {
    const { body, charge } = await wholeOf(callOf('messages', format))
    expect(body).toMatchObject({ content: [{ type: 'text', text: ARGUMENTS }], stop_reason: 'end_turn' })
    expect(charge).toMatchObject({ usage: { outputTokens: countTokens(ARGUMENTS) } })
  })
})

const embedded = v.object({ data: v.array(v.object({ index: v.number(), embedding: v.array(v.number()) })) })
const encoded = v.object({ data: v.tuple([v.object({ embedding: v.string() })]) })

describe('embeddings', () => {
  const vectorsOf = async (body: object) =>
    v.parse(embedded, (await wholeOf(callOf('embeddings', body))).body).data.map(({ embedding }) => embedding)

  test('are unit vectors, the same for each text', async () => {
    const [first = [], second = [], again = []] = await vectorsOf({ input: ['a', 'b', 'a'] })
    expect(first.length).toBe(1536)
    expect(Math.hypot(...first)).toBeCloseTo(1, 5)
    expect(again).toEqual(first)
    expect(second).not.toEqual(first)
    expect((await vectorsOf({ input: 'a' }))[0]).toEqual(first)
  })

  test.each<[object, number, number]>([
    [{ input: 'a', dimensions: 8 }, 1, 8],
    [{ input: [1, 2, 3], dimensions: 8 }, 1, 8],
    [{ input: [[1, 2], [3]], dimensions: 8 }, 2, 8],
  ])('of %j are %d of %d numbers', async (body, count, dimensions) => {
    const vectors = await vectorsOf(body)
    expect(vectors.map((vector) => vector.length)).toEqual(Array.from({ length: count }, () => dimensions))
  })

  test('in base64 are the same numbers', async () => {
    const { body } = await wholeOf(
      callOf('embeddings', { input: 'a', dimensions: 4, encoding_format: 'base64' }),
    )
    const bytes = Buffer.from(v.parse(encoded, body).data[0].embedding, 'base64')
    expect([0, 4, 8, 12].map((at) => bytes.readFloatLE(at))).toEqual(
      (await vectorsOf({ input: 'a', dimensions: 4 }))[0],
    )
  })

  test('use the tokens of the prompt', async () => {
    const { body, charge } = await wholeOf(callOf('embeddings', {}))
    expect(body).toMatchObject({
      object: 'list',
      model: 'gpt-4',
      usage: { prompt_tokens: 9, total_tokens: 9 },
    })
    expect(charge).toEqual({ of: 'usage', usage: { inputTokens: 9, outputTokens: 0 } })
  })
})

test('a count of tokens has the tokens of the prompt, and is charged a request', async () => {
  const { body, charge } = await wholeOf(callOf('count_tokens', {}))
  expect([body, charge]).toEqual([{ input_tokens: 9 }, { of: 'request' }])
})
