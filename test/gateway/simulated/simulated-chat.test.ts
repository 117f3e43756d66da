import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../src/core/model/json.ts'
import { callOf, countTokens, dataOf, streamOf, wholeOf } from './simulated-calls.ts'

const said = v.optional(v.object({ content: v.nullish(v.string(), '') }))
const saying = v.object({ choices: v.array(v.object({ message: said, delta: said })) })

/** The text of each choice of a whole response, or of a chunk. */
const textsIn = (body: unknown): readonly string[] =>
  v.parse(saying, body).choices.map(({ message, delta }) => (message ?? delta)?.content ?? '')

const usageOf = (inputTokens: number, outputTokens: number) => ({
  of: 'usage',
  usage: { inputTokens, outputTokens },
})

describe('a whole chat', () => {
  test.each<[string, object, number]>([
    ['16 tokens by default', {}, 16],
    ['max_tokens', { max_tokens: 50 }, 50],
    ['as many for each choice', { max_tokens: 50, n: 3 }, 150],
    ['nulls as nothing', { max_tokens: null, max_completion_tokens: null, n: null }, 16],
    ['more than anyone would read', { max_tokens: 1_000_000, n: 128 }, 128_000_000],
    ['the newer of two maxima', { max_tokens: 50, max_completion_tokens: 7 }, 7],
    ['a maximum of another API', { max_output_tokens: 7 }, 7],
  ])('uses %s', async (_, body, tokens) => {
    const { body: response, charge } = await wholeOf(callOf('chat', body))
    expect(charge).toEqual(usageOf(9, tokens))
    expect(response.usage).toEqual({ prompt_tokens: 9, completion_tokens: tokens, total_tokens: 9 + tokens })
  })

  test('uses no more than the bound that was reserved', async () => {
    expect((await wholeOf(callOf('chat', {}, { outputBound: 5 }))).charge).toEqual(usageOf(9, 5))
    expect((await wholeOf(callOf('chat', {}, { outputBound: 500 }))).charge).toEqual(usageOf(9, 16))
  })

  test("has OpenAI's shape, and contains the node", async () => {
    const { status, headers, body } = await wholeOf(callOf('chat', { max_tokens: 2, n: 2 }))
    const choice = {
      message: { role: 'assistant', content: 'This response', refusal: null },
      logprobs: null,
      finish_reason: 'length',
    }
    expect([status, headers]).toEqual([200, { 'content-type': 'application/json' }])
    expect(body).toEqual({
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
    })
  })

  test.each<[string, object, string]>([
    ['stop, if no maximum cuts it', {}, 'stop'],
    ['length, if one does', { max_tokens: 16 }, 'length'],
  ])('finishes with %s', async (_, body, reason) => {
    const { body: response } = await wholeOf(callOf('chat', body))
    expect(response.choices).toMatchObject([{ finish_reason: reason }])
  })

  test.each<[string, JsonObject, number]>([
    ['n: 1', {}, 16_384],
    ['n: 1 and 16,384 tokens', { max_tokens: 16_384 }, 16_384],
    ['n: 4', { n: 4 }, 4096],
    ['n: 100', { n: 100 }, 163],
    ['n: 128', { n: 128 }, 128],
    ['n: 128 and 3 tokens', { n: 128, max_tokens: 3 }, 3],
  ])('contains at most 16,384 words in all choices together: %s', async (_, body, words) => {
    const texts = textsIn((await wholeOf(callOf('chat', { max_tokens: 1_000_000, ...body }))).body)
    expect(texts.length).toBe(body.n ?? 1)
    expect(new Set(texts.map(countTokens))).toEqual(new Set([words]))
  })

  test.each([1, 2, 5, 16, 17, 50, 200, 1000])('of %d tokens counts as that many', async (max_tokens) => {
    const [text = ''] = textsIn((await wholeOf(callOf('chat', { max_tokens }))).body)
    expect(countTokens(text)).toBe(max_tokens)
  })
})

describe('a streamed chat', () => {
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
    const { events, charge } = await streamOf(callOf('chat', { max_tokens: 2 }))
    expect(events.slice(0, -1).map(dataOf)).toEqual([
      { ...base, ...choice({ role: 'assistant', content: '' }) },
      { ...base, ...choice({ content: 'This' }) },
      { ...base, ...choice({ content: ' response' }) },
      { ...base, ...choice({}, 'length') },
    ])
    expect(events.at(-1)).toEqual({ name: undefined, data: '[DONE]' })
    expect(charge).toEqual(usageOf(9, 2))
  })

  test('ends with the usage if requested, which is null before', async () => {
    const { events } = await streamOf(
      callOf('chat', { max_tokens: 1, stream_options: { include_usage: true } }),
    )
    const chunks = events.slice(0, -1).map(dataOf)
    expect(chunks.slice(0, -1).map((chunk) => chunk.usage)).toEqual([null, null, null])
    expect(chunks.at(-1)).toEqual({
      ...base,
      choices: [],
      usage: { prompt_tokens: 9, completion_tokens: 1, total_tokens: 10 },
    })
  })

  test.each<[string, JsonObject, number]>([
    ['10,000 tokens', { max_tokens: 10_000 }, 260],
    ['16,384 tokens in each of 128 choices', { n: 128, max_tokens: 16_384 }, 3 * 128 + 1024],
    ['1,000,000 tokens in each of 5 choices', { n: 5, max_tokens: 1_000_000 }, 3 * 5 + 1024],
    ['1,000,000 tokens in one', { max_tokens: 1_000_000 }, 3 + 1024],
  ])('contains the same words as a whole one, in a bounded number of chunks: %s', async (_, body, most) => {
    const { events, charge } = await streamOf(callOf('chat', body))
    const whole = await wholeOf(callOf('chat', body))
    const texts = events.slice(0, -1).flatMap((event) => textsIn(dataOf(event)))
    expect(texts.join('')).toBe(textsIn(whole.body).join(''))
    expect(charge).toEqual(whole.charge)
    expect(events.length).toBeLessThanOrEqual(most + 1)
  })
})

const TOOLS = [
  { type: 'function', function: { name: 'now', parameters: { type: 'object', properties: {} } } },
  {
    type: 'function',
    function: {
      name: 'weather',
      parameters: {
        type: 'object',
        properties: {
          city: { type: 'string' },
          days: { type: 'integer', minimum: 3 },
          unit: { enum: ['C', 'F'] },
        },
        required: ['city', 'days'],
      },
    },
  },
]

describe('a call of a tool', () => {
  test.each<[string, unknown, string, object]>([
    ['required', 'required', 'now', {}],
    ['named', { type: 'function', function: { name: 'weather' } }, 'weather', { city: 'simulated', days: 3 }],
  ])('that is %s has arguments that fit', async (_, tool_choice, name, args) => {
    const { body, charge } = await wholeOf(callOf('chat', { tools: TOOLS, tool_choice, max_tokens: 500 }))
    const text = JSON.stringify(args)
    expect(body.choices).toMatchObject([
      {
        message: {
          content: null,
          tool_calls: [{ id: 'call_req_1_0', type: 'function', function: { name, arguments: text } }],
        },
        finish_reason: 'tool_calls',
      },
    ])
    expect(charge).toEqual(usageOf(9, countTokens(name + text)))
  })

  test('is streamed by its name, then its arguments', async () => {
    const tool_choice = { type: 'function', function: { name: 'weather' } }
    const { events } = await streamOf(callOf('chat', { tools: TOOLS, tool_choice }))
    const schema = v.object({
      choices: v.array(
        v.object({
          delta: v.looseObject({
            tool_calls: v.optional(
              v.array(v.looseObject({ function: v.looseObject({ arguments: v.string() }) })),
            ),
          }),
          finish_reason: v.nullable(v.string()),
        }),
      ),
    })
    const choices = events.slice(0, -1).flatMap((event) => v.parse(schema, dataOf(event)).choices)
    const calls = choices.flatMap(({ delta }) => delta.tool_calls ?? [])
    expect(calls[0]).toEqual({
      index: 0,
      id: 'call_req_1_0',
      type: 'function',
      function: { name: 'weather', arguments: '' },
    })
    expect(calls.map((call) => call.function.arguments).join('')).toBe('{"city":"simulated","days":3}')
    expect(choices.at(-1)?.finish_reason).toBe('tool_calls')
  })

  test.each([undefined, 'auto', 'none', { type: 'function', function: { name: 'unknown' } }])(
    'is not made for the choice %j',
    async (tool_choice) => {
      const { body } = await wholeOf(callOf('chat', { tools: TOOLS, tool_choice }))
      expect(body.choices).toMatchObject([{ message: { content: expect.stringContaining('This response') } }])
    },
  )
})

describe('a structured output', () => {
  const schema = {
    type: 'object',
    properties: { name: { type: 'string' }, tags: { type: 'array', items: { type: 'string' }, minItems: 2 } },
    required: ['name', 'tags'],
    additionalProperties: false,
  }

  test('fits its schema, and stops', async () => {
    const response_format = { type: 'json_schema', json_schema: { name: 'x', strict: true, schema } }
    const { body, charge } = await wholeOf(callOf('chat', { response_format, max_tokens: 500 }))
    const [text = ''] = textsIn(body)
    expect(JSON.parse(text)).toEqual({ name: 'simulated', tags: ['simulated', 'simulated 2'] })
    expect(body.choices).toMatchObject([{ finish_reason: 'stop' }])
    expect(charge).toEqual(usageOf(9, countTokens(text)))
  })

  test('is the same in a stream', async () => {
    const response_format = { type: 'json_schema', json_schema: { name: 'x', schema } }
    const { events, charge } = await streamOf(callOf('chat', { response_format }))
    const whole = await wholeOf(callOf('chat', { response_format }))
    expect(
      events
        .slice(0, -1)
        .flatMap((event) => textsIn(dataOf(event)))
        .join(''),
    ).toBe(textsIn(whole.body)[0])
    expect(charge).toEqual(whole.charge)
  })

  test('is whole, and uses no more tokens than the maximum', async () => {
    const { body, charge } = await wholeOf(
      callOf('chat', { response_format: { type: 'json_object' }, max_tokens: 1 }),
    )
    expect(JSON.parse(textsIn(body)[0] ?? '')).toEqual({ simulated: true })
    expect(charge).toEqual(usageOf(9, 1))
  })
})
