import { describe, expect, test } from 'vitest'
import { wireApis } from '../../../src/gateway/apis/wire-apis.ts'

test('each API is listed by its name', () => {
  expect(Object.entries(wireApis).map(([name, api]) => [name, api.name])).toEqual(
    Object.keys(wireApis).map((name) => [name, name]),
  )
})

test('the paths of each kind of upstream', () => {
  const paths = Object.fromEntries(Object.values(wireApis).map(({ name, paths }) => [name, paths]))
  expect(paths).toEqual({
    chat: { openai: '/chat/completions', bedrock: '/openai/v1/chat/completions' },
    completions: { openai: '/completions' },
    embeddings: { openai: '/embeddings' },
    responses: { openai: '/responses', bedrock: '/openai/v1/responses' },
    messages: { anthropic: '/v1/messages', bedrock: '/anthropic/v1/messages' },
    count_tokens: { anthropic: '/v1/messages/count_tokens' },
  })
})

describe('APIs without output', () => {
  const { embeddings, count_tokens: countTokens } = wireApis
  const accepts = { streamOptions: true, maxCompletionTokens: true }

  test.each([embeddings, countTokens])('have no choices, and only another model: $name', (api) => {
    const body = { model: 'here', input: 'x', max_tokens: 5 }
    expect(api.choices(body)).toBe(0)
    expect(api.upstreamBody(body, { model: 'there', outputBound: null, accepts })).toEqual({
      ...body,
      model: 'there',
    })
  })

  test.each([embeddings, countTokens])('send whatever a stream contains: $name', (api) => {
    const reader = api.createStreamReader({})
    expect([reader.read({ name: undefined, data: '{"x":1}' }), reader.isComplete(), reader.usage()]).toEqual([
      'send',
      true,
      undefined,
    ])
  })

  test('embeddings report the tokens of their input', () => {
    expect(embeddings.usageOf({ usage: { prompt_tokens: 8, total_tokens: 8 } })).toEqual({
      inputTokens: 8,
      outputTokens: 0,
    })
    expect(embeddings.usageOf({ usage: { prompt_tokens: 0, total_tokens: 0 } })).toBe(undefined)
    expect(embeddings.usageOf({})).toBe(undefined)
  })

  test('a count of tokens uses none', () => {
    expect(countTokens.usageOf({ input_tokens: 2095 })).toBe(undefined)
  })
})
