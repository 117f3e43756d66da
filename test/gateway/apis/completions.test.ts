import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../src/core/model/json.ts'
import { completionsApi } from '../../../src/gateway/apis/completions.ts'
import { readAll } from './stream-text.ts'

const part = (text: string, finish_reason: string | null = null, index = 0) => ({
  id: 'cmpl-1',
  object: 'text_completion',
  choices: [{ text, index, logprobs: null, finish_reason }],
})
const USAGE = { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 }

const streamOf = (body: JsonObject, ...events: readonly (string | object)[]) => {
  const reader = completionsApi.createStreamReader({ prompt: 'Say', stream: true, ...body })
  return { reader, results: readAll(reader, events) }
}

describe('a stream of completions', () => {
  test('has text, a hidden usage, and [DONE]', () => {
    const { reader, results } = streamOf(
      {},
      part('Hello'),
      part(' you', 'length'),
      { choices: [], usage: USAGE },
      '[DONE]',
    )
    expect(results).toEqual(['send', 'send', 'drop', 'end'])
    expect([reader.takeText(), reader.usage(), reader.isComplete()]).toEqual([
      'Hello you',
      { inputTokens: 5, outputTokens: 7 },
      true,
    ])
    expect(reader.ending).toBe('data: [DONE]\n\n')
  })

  test('shows the usage that was requested', () => {
    const { results } = streamOf({ stream_options: { include_usage: true } }, { choices: [], usage: USAGE })
    expect(results).toEqual(['send'])
  })

  test.each<[string, JsonObject, readonly number[], boolean]>([
    ['one', {}, [0], true],
    ['one of two choices', { n: 2 }, [1], false],
    ['two choices', { n: 2 }, [1, 0], true],
    ['the best of five', { best_of: 5 }, [0], true],
    ['one of two prompts', { prompt: ['a', 'b'] }, [0], false],
    ['two prompts', { prompt: ['a', 'b'] }, [0, 1], true],
    ['a prompt of token ids', { prompt: [1, 2, 3] }, [0], true],
  ])('of %s: whether it is complete', (_, body, finished, isComplete) => {
    const { reader } = streamOf(body, ...finished.map((index) => part('x', 'stop', index)))
    expect(reader.isComplete()).toBe(isComplete)
  })

  test('has no output before the first text', () => {
    const { reader } = streamOf({}, part(''))
    expect(reader.hasOutput()).toBe(false)
    readAll(reader, [part('x')])
    expect(reader.hasOutput()).toBe(true)
  })
})

test.each<[string, JsonObject, number]>([
  ['one', {}, 1],
  ['n', { n: 3 }, 3],
  ['best_of, if it is larger', { n: 2, best_of: 5 }, 5],
  ['n for each prompt', { prompt: ['a', 'b', 'c'], n: 2 }, 6],
  ['one for token ids', { prompt: [1, 2, 3] }, 1],
  ['one for each list of token ids', { prompt: [[1, 2], [3]] }, 2],
  ['one for an empty list', { prompt: [] }, 1],
])('completions have %s choices', (_, body, choices) => {
  expect(completionsApi.choices({ prompt: 'x', ...body })).toBe(choices)
})

test('a whole response reports its usage, unless it is zero beside text', () => {
  const whole = (usage: JsonObject) => ({
    choices: [
      { text: 'Hello', index: 0 },
      { text: '!', index: 1 },
    ],
    usage,
  })
  expect(completionsApi.usageOf(whole(USAGE))).toEqual({ inputTokens: 5, outputTokens: 7 })
  expect(completionsApi.usageOf(whole({ ...USAGE, completion_tokens: 0, total_tokens: 5 }))).toBe(undefined)
  expect(completionsApi.textOf(whole(USAGE))).toBe('Hello!')
})

test('the body for an upstream has the bound as max_tokens, and requests usage where that is accepted', () => {
  const accepts = { streamOptions: true, maxCompletionTokens: true }
  const body = { model: 'here', prompt: 'x', stream: true }
  const changes = { model: 'there', outputBound: 9, accepts }
  expect(completionsApi.upstreamBody(body, changes)).toEqual({
    ...body,
    model: 'there',
    max_tokens: 9,
    stream_options: { include_usage: true },
  })
  expect(
    completionsApi.upstreamBody(
      { ...body, max_tokens: 5 },
      { model: 'there', outputBound: null, accepts: { ...accepts, streamOptions: false } },
    ),
  ).toEqual({ ...body, model: 'there', max_tokens: 5 })
})
