import { expect, test } from 'vitest'
import type { JsonObject } from '../../../src/core/model/json.ts'
import { errorIn } from '../../../src/gateway/apis/error-in.ts'

const NONE = { type: null, code: null, param: null }

test.each<[string, JsonObject, object]>([
  [
    'OpenAI',
    { error: { message: 'no', type: 'server_error', code: null, param: 'model' } },
    { ...NONE, status: 502, message: 'no', type: 'server_error', param: 'model' },
  ],
  [
    'OpenRouter',
    { error: { message: 'no', code: 429 }, choices: [] },
    { ...NONE, status: 429, message: 'no', code: '429' },
  ],
  [
    'a status in a text',
    { error: { message: 'no', code: '503' } },
    { ...NONE, status: 503, message: 'no', code: '503' },
  ],
  [
    'a code that is no status',
    { error: { message: 'no', code: 200 } },
    { ...NONE, status: 502, message: 'no', code: '200' },
  ],
  [
    'a code in words',
    { error: { message: 'no', code: 'context_length_exceeded' } },
    { ...NONE, status: 502, message: 'no', code: 'context_length_exceeded' },
  ],
  ['a text', { error: 'no' }, { ...NONE, status: 502, message: 'no' }],
  [
    'older vLLM',
    { object: 'error', message: 'no', type: 'BadRequestError', code: 400, param: null },
    { ...NONE, status: 400, message: 'no', code: '400' },
  ],
  [
    'Anthropic',
    { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
    { ...NONE, status: 529, message: 'Overloaded', type: 'overloaded_error' },
  ],
  [
    'an unknown type of Anthropic',
    { type: 'error', error: { type: 'api_error', message: 'no' } },
    { ...NONE, status: 502, message: 'no', type: 'api_error' },
  ],
  [
    'an event of the Responses API',
    { type: 'error', code: 'server_error', message: 'no', param: null, sequence_number: 3 },
    { ...NONE, status: 502, message: 'no', code: 'server_error' },
  ],
  [
    'nothing but an error',
    { error: {} },
    { ...NONE, status: 502, message: 'The upstream reported an error without a message' },
  ],
])('the error of %s is found', (_, body, problem) => {
  expect(errorIn(body)).toEqual(problem)
})

test.each<[string, JsonObject]>([
  ['null beside an answer', { error: null, choices: [] }],
  ['an empty text', { error: '' }],
  ['an answer', { object: 'chat.completion', choices: [] }],
  ['a message of Anthropic', { type: 'message', content: [] }],
])('%s is no error', (_, body) => {
  expect(errorIn(body)).toBe(undefined)
})
