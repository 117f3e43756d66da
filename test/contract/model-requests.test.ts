import type * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { chatRequestBody } from '../../src/contract/chat.ts'
import { completionRequestBody } from '../../src/contract/completions.ts'
import { embeddingRequestBody } from '../../src/contract/embeddings.ts'
import { countTokensRequestBody, messageRequestBody } from '../../src/contract/messages.ts'
import { parse } from '../../src/contract/parse.ts'
import { responseRequestBody } from '../../src/contract/responses.ts'

const HI = [{ role: 'user', content: 'Hi' }]
const TOO_MANY = Array.from({ length: 2049 }, () => 'x')

const SCHEMAS: Readonly<Record<string, v.GenericSchema>> = {
  chat: chatRequestBody,
  completions: completionRequestBody,
  embeddings: embeddingRequestBody,
  responses: responseRequestBody,
  messages: messageRequestBody,
  'count tokens': countTokensRequestBody,
}
const schemaOf = (name: string): v.GenericSchema => {
  const schema = SCHEMAS[name]
  if (schema === undefined) throw new Error(`no schema ${name}`)
  return schema
}

const LEAST: Readonly<Record<string, object>> = {
  chat: { messages: HI },
  completions: { prompt: 'Say' },
  embeddings: { input: 'text' },
  responses: { input: 'Hi' },
  messages: { messages: HI },
  'count tokens': { messages: HI },
}

describe.each(Object.entries(LEAST))('a request for %s', (name, least) => {
  test('passes with unknown fields, as the same object', () => {
    const body = { ...least, unknown: { deep: [1.5, null] } }
    expect(parse(schemaOf(name), body, 'body')).toBe(body)
  })

  test.each(Object.keys(least))('requires %s', (field) => {
    expect(() => parse(schemaOf(name), {}, 'body')).toThrow(new RegExp(`^${field} must`))
  })

  test('has a model that is a text', () => {
    expect(() => parse(schemaOf(name), { ...least, model: '' }, 'body')).toThrow('model must not be empty')
    expect(() => parse(schemaOf(name), { ...least, model: 5 }, 'body')).toThrow('model must be a string')
  })
})

test.each<[string, object]>([
  ['completions', { prompt: ['a', 'b'] }],
  ['completions', { prompt: [1, 2, 3] }],
  ['completions', { prompt: [[1], [2, 3]] }],
  [
    'completions',
    {
      prompt: 'x',
      n: 2,
      best_of: 3,
      max_tokens: 5,
      stop: ['.'],
      stream: true,
      stream_options: { include_usage: true },
    },
  ],
  ['embeddings', { input: ['a', 'b'], dimensions: 256, encoding_format: 'base64' }],
  ['embeddings', { input: Array.from({ length: 8000 }, (_, id) => id) }],
  [
    'responses',
    {
      input: [
        { role: 'user', content: 'Hi' },
        { type: 'item_reference', id: 'x' },
      ],
      background: false,
      conversation: null,
    },
  ],
  ['responses', { input: 'x', previous_response_id: 'resp_1', max_output_tokens: 16, store: false }],
  [
    'messages',
    {
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
      system: [{ type: 'text', text: 'Be brief' }],
      max_tokens: 1,
    },
  ],
  [
    'messages',
    {
      messages: HI,
      metadata: { user_id: 'u' },
      stop_sequences: ['.'],
      tools: [{ name: 'f' }],
      thinking: { type: 'enabled' },
    },
  ],
])('%s accept %j', (name, body) => {
  expect(parse(schemaOf(name), body, 'body')).toBe(body)
})

const TEXTS = 'must be a string, a list of 1 to 2048 strings'

test.each<[string, object, string]>([
  ['completions', { prompt: [] }, `prompt ${TEXTS}`],
  ['completions', { prompt: ['a', 1] }, `prompt ${TEXTS}`],
  ['completions', { prompt: [-1] }, `prompt ${TEXTS}`],
  ['completions', { prompt: 'x', max_tokens: 0 }, 'max_tokens must be at least 1'],
  ['completions', { prompt: 'x', n: 129 }, 'n must be at most 128'],
  ['completions', { prompt: 'x', best_of: 21 }, 'best_of must be at most 20'],
  [
    'completions',
    { prompt: 'x', stream_options: { include_usage: 1 } },
    'stream_options.include_usage must be true or false',
  ],
  ['embeddings', { input: TOO_MANY }, `input ${TEXTS}`],
  ['embeddings', { input: [[]] }, `input ${TEXTS}`],
  ['embeddings', { input: { text: 'x' } }, `input ${TEXTS}`],
  ['embeddings', { input: 'x', dimensions: 0 }, 'dimensions must be at least 1'],
  ['embeddings', { input: 'x', encoding_format: 'hex' }, 'encoding_format must be one of float, base64'],
  ['responses', { input: [] }, 'input must be a string or a list of 1 to 4096 items'],
  ['responses', { input: [{ content: 'Hi' }] }, 'input must be a string or a list'],
  ['responses', { input: 'x', previous_response_id: '' }, 'previous_response_id must not be empty'],
  ['responses', { input: 'x', max_output_tokens: 1.5 }, 'max_output_tokens must be an integer'],
  ['messages', { messages: [] }, 'messages must contain 1 to 2048 messages'],
  ['messages', { messages: [{ role: 'user' }] }, 'messages[0].content must be'],
  [
    'messages',
    { messages: [{ role: 'user', content: [{ text: 'Hi' }] }] },
    'messages[0].content must be a string or a list',
  ],
  ['messages', { messages: HI, system: 5 }, 'system must be a string or a list'],
  ['messages', { messages: HI, max_tokens: -1 }, 'max_tokens must be at least 1'],
  ['messages', { messages: HI, temperature: 1.5 }, 'temperature must be at most 1'],
  ['messages', { messages: HI, metadata: { user_id: 5 } }, 'metadata.user_id must be a string'],
  ['messages', { messages: HI, stop_sequences: 'x' }, 'stop_sequences must be a list'],
  ['count tokens', { messages: HI, tools: [5] }, 'tools[0] must be an object'],
])('%s reject %j', (name, body, message) => {
  expect(() => parse(schemaOf(name), body, 'body')).toThrow(message)
})
