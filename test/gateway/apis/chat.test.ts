import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../src/core/model/json.ts'
import { chatApi } from '../../../src/gateway/apis/chat.ts'
import { readAll } from './stream-text.ts'

const chunk = (fields: object) => ({
  id: 'c',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  ...fields,
})
const delta = (value: object, finish_reason: string | null = null, index = 0) =>
  chunk({ choices: [{ index, delta: value, finish_reason }] })
const counts = (input: number, output: number) => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
})

const streamOf = (body: JsonObject, ...events: readonly (string | object)[]) => {
  const reader = chatApi.createStreamReader({ stream: true, ...body })
  return { reader, results: readAll(reader, events) }
}

const HELLO = delta({ content: 'Hello' })
const STOP = delta({}, 'stop')

describe('a stream of chat', () => {
  test('is sent up to [DONE], which ends it', () => {
    const { reader, results } = streamOf({}, delta({ role: 'assistant', content: '' }), HELLO, STOP, '[DONE]')
    expect(results).toEqual(['send', 'send', 'send', 'end'])
    expect(reader.ending).toBe('data: [DONE]\n\n')
    expect(reader.takeText()).toBe('Hello')
    expect(reader.takeText()).toBe('')
  })

  test.each(['[DONE] ', ' [DONE]', '[DONE]\r'])('ends with %j', (data) => {
    expect(streamOf({}, data).results).toEqual(['end'])
  })

  test.each(['', '  '])('drops an event whose data is %j', (data) => {
    expect(streamOf({}, data).results).toEqual(['drop'])
  })

  test('sends what it cannot read, and counts the rest', () => {
    const { reader, results } = streamOf(
      {},
      HELLO,
      '{"choices":[',
      '[1]',
      'null',
      '"text"',
      delta({ content: '!' }),
    )
    expect(new Set(results)).toEqual(new Set(['send']))
    expect([reader.takeText(), reader.failure()]).toEqual(['Hello!', undefined])
  })

  test.each<[string, readonly object[], boolean]>([
    ['without any event', [], false],
    ['after text', [HELLO], false],
    [
      'in the middle of a tool call',
      [delta({ tool_calls: [{ index: 0, function: { arguments: '{"a' } }] })],
      false,
    ],
    ['after a finish reason', [HELLO, STOP], true],
    ['after an empty finish reason', [HELLO, delta({}, '')], false],
    ['after the finish reason of a tool call', [delta({}, 'tool_calls')], true],
  ])('%s: whether it is complete', (_, events, isComplete) => {
    expect(streamOf({}, ...events).reader.isComplete()).toBe(isComplete)
  })

  test('is complete at [DONE], whatever is finished', () => {
    const { reader } = streamOf({}, HELLO, '[DONE]')
    expect(reader.isComplete()).toBe(true)
  })

  test('with several choices is complete when each is finished', () => {
    const { reader } = streamOf({ n: 2 }, delta({ content: 'a' }, 'stop', 1))
    expect(reader.isComplete()).toBe(false)
    readAll(reader, [delta({ content: 'b' }, 'stop', 1), delta({ content: 'b' }, 'length', 0)])
    expect(reader.isComplete()).toBe(true)
    expect(reader.takeText()).toBe('abb')
  })

  test.each<[string, object, boolean, string]>([
    ['the role', { role: 'assistant', content: '' }, false, ''],
    ['text', { content: 'x' }, true, 'x'],
    ['a refusal', { refusal: 'No' }, true, 'No'],
    ['reasoning', { reasoning: 'Hm' }, true, 'Hm'],
    ['reasoning under two names, once', { reasoning: 'Hm', reasoning_content: 'Hm' }, true, 'Hm'],
    [
      'reasoning in parts',
      { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] }] },
      true,
      'Hm',
    ],
    [
      'a tool call',
      { tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'f', arguments: '' } }] },
      true,
      'f',
    ],
    ['a part of its arguments', { tool_calls: [{ index: 0, function: { arguments: '{"a' } }] }, true, '{"a'],
    ['an older call', { function_call: { name: 'f', arguments: '{}' } }, true, 'f{}'],
    ['audio', { audio: { id: 'audio_1', data: 'AAAA', transcript: 'Hi' } }, true, 'Hi'],
    ['audio without a transcript', { audio: { data: 'AAAA' } }, true, ''],
    ['nothing', {}, false, ''],
  ])('has output after a delta with %s', (_, value, hasOutput, text) => {
    const { reader } = streamOf({}, delta(value))
    expect([reader.hasOutput(), reader.takeText()]).toEqual([hasOutput, text])
  })
})

describe('the usage of a stream', () => {
  const USAGE = chunk({ choices: [], usage: counts(9, 12) })

  test('is hidden unless it was requested', () => {
    expect(streamOf({}, HELLO, STOP, USAGE, '[DONE]').results).toEqual(['send', 'send', 'drop', 'end'])
    const asked = streamOf({ stream_options: { include_usage: true } }, HELLO, STOP, USAGE, '[DONE]')
    expect(asked.results).toEqual(['send', 'send', 'send', 'end'])
    expect(asked.reader.usage()).toEqual({ inputTokens: 9, outputTokens: 12 })
  })

  test.each<[string, object, 'send' | 'drop']>([
    ['beside an empty delta', chunk({ choices: [{ index: 0, delta: {} }], usage: counts(9, 12) }), 'drop'],
    [
      'beside an empty text after the end',
      chunk({ choices: [{ index: 0, delta: { content: '' } }], usage: counts(9, 12) }),
      'drop',
    ],
    [
      'beside text',
      chunk({ choices: [{ index: 0, delta: { content: '!' } }], usage: counts(9, 12) }),
      'send',
    ],
    [
      'beside a finish reason',
      chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: counts(9, 12) }),
      'send',
    ],
    ['beside an error', chunk({ choices: [], usage: counts(9, 12), error: { message: 'no' } }), 'send'],
    ['of null', chunk({ choices: [], usage: null }), 'send'],
    ['nowhere, as in the first chunk of Azure', chunk({ choices: [], prompt_filter_results: [] }), 'send'],
  ])('%s', (_, event, result) => {
    expect(streamOf({}, HELLO, STOP, event).results.at(-1)).toBe(result)
  })

  test('is kept with the first chunk, which names the role', () => {
    const first = chunk({
      choices: [{ index: 0, delta: { role: 'assistant', content: '' } }],
      usage: counts(9, 0),
    })
    expect(streamOf({}, first).results).toEqual(['send'])
  })

  test.each<[string, readonly object[], object | undefined]>([
    [
      'on the last chunk of content',
      [delta({ content: 'Hi' }), { ...STOP, usage: counts(9, 2) }],
      { inputTokens: 9, outputTokens: 2 },
    ],
    [
      'zeros before the real one',
      [chunk({ choices: [], usage: counts(0, 0) }), HELLO, USAGE],
      { inputTokens: 9, outputTokens: 12 },
    ],
    [
      'zeros after the real one',
      [HELLO, USAGE, chunk({ choices: [], usage: counts(0, 0) })],
      { inputTokens: 9, outputTokens: 12 },
    ],
    [
      'a running count',
      [chunk({ choices: [], usage: counts(9, 1) }), HELLO, USAGE],
      { inputTokens: 9, outputTokens: 12 },
    ],
    ['zeros and text', [chunk({ choices: [], usage: counts(0, 0) }), HELLO], undefined],
    ['no output beside text', [chunk({ choices: [], usage: counts(9, 0) }), HELLO], undefined],
    [
      'no output and no text',
      [chunk({ choices: [], usage: counts(9, 0) })],
      { inputTokens: 9, outputTokens: 0 },
    ],
    ['none', [HELLO], undefined],
    [
      'more than any request can use',
      [HELLO, chunk({ choices: [], usage: counts(5e9, 1e12) })],
      { inputTokens: 20_000_000, outputTokens: 20_000_000 },
    ],
  ])('%s', (_, events, usage) => {
    expect(streamOf({}, ...events).reader.usage()).toEqual(usage)
  })

  test('has its input where the output is not reported', () => {
    const { reader } = streamOf({}, chunk({ choices: [], usage: counts(9, 0) }))
    expect(reader.inputUsage()).toBe(undefined)
    readAll(reader, [HELLO])
    expect([reader.usage(), reader.inputUsage()]).toEqual([undefined, { inputTokens: 9 }])
  })
})

describe('an error in a stream', () => {
  test('is the failure of its event only', () => {
    const { reader, results } = streamOf({}, HELLO, { error: { message: 'no capacity', code: 503 } })
    expect(results).toEqual(['send', 'send'])
    expect(reader.failure()).toMatchObject({ status: 503, message: 'no capacity' })
    readAll(reader, [STOP])
    expect(reader.failure()).toBe(undefined)
  })

  test('null beside a delta is none', () => {
    expect(streamOf({}, { ...HELLO, error: null }).reader.failure()).toBe(undefined)
  })
})

describe('a whole response', () => {
  const message = (value: object, usage?: object) => ({
    choices: [{ index: 0, message: { role: 'assistant', content: null, ...value }, finish_reason: 'stop' }],
    ...(usage && { usage }),
  })

  test.each<[string, object | undefined, object | undefined]>([
    ['counts', counts(100, 5), { inputTokens: 100, outputTokens: 5 }],
    [
      'cached tokens',
      { ...counts(100, 5), prompt_tokens_details: { cached_tokens: 80 } },
      { inputTokens: 100, outputTokens: 5, cachedInputTokens: 80 },
    ],
    [
      "DeepSeek's cached tokens",
      { ...counts(100, 5), prompt_cache_hit_tokens: 64 },
      { inputTokens: 100, outputTokens: 5, cachedInputTokens: 64 },
    ],
    [
      'more cached tokens than there are',
      { ...counts(100, 5), prompt_tokens_details: { cached_tokens: 101 } },
      { inputTokens: 100, outputTokens: 5, cachedInputTokens: 100 },
    ],
    [
      'cached tokens that are no count',
      { ...counts(100, 5), prompt_tokens_details: { cached_tokens: '80' } },
      { inputTokens: 100, outputTokens: 5 },
    ],
    [
      'tokens written to the cache',
      { ...counts(100, 5), prompt_tokens_details: { cached_tokens: 30, cache_write_tokens: 90 } },
      { inputTokens: 100, outputTokens: 5, cachedInputTokens: 30, cacheWriteTokens: 70 },
    ],
    [
      'reasoning within the output',
      { ...counts(10, 500), completion_tokens_details: { reasoning_tokens: 480 } },
      { inputTokens: 10, outputTokens: 500 },
    ],
    [
      'reasoning beside the output',
      { prompt_tokens: 10, completion_tokens: 5, total_tokens: 515 },
      { inputTokens: 10, outputTokens: 505 },
    ],
    ['zeros beside text', counts(0, 0), undefined],
    ['no output beside text', counts(9, 0), undefined],
    ['a part', { prompt_tokens: 1 }, undefined],
    ['negative counts', { prompt_tokens: -1, completion_tokens: 5 }, undefined],
    ['fractions', { prompt_tokens: 1, completion_tokens: 1.5 }, undefined],
    ['texts', { prompt_tokens: '1', completion_tokens: '5' }, undefined],
    [
      'numbers beyond any model',
      { prompt_tokens: 1e300, completion_tokens: 5 },
      { inputTokens: 20_000_000, outputTokens: 5 },
    ],
    ['nothing', undefined, undefined],
  ])('has the usage of %s', (_, usage, expected) => {
    const body = JSON.parse(JSON.stringify(message({ content: 'Hi' }, usage)))
    expect(chatApi.usageOf(body)).toEqual(expected)
  })

  test('without text may have no output tokens', () => {
    expect(chatApi.usageOf(JSON.parse(JSON.stringify(message({}, counts(9, 0)))))).toEqual({
      inputTokens: 9,
      outputTokens: 0,
    })
  })

  test('has the text of all choices', () => {
    expect(
      chatApi.textOf({
        choices: [
          { message: { role: 'assistant', content: 'Hello', refusal: null } },
          {
            message: {
              tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
            },
          },
        ],
      }),
    ).toBe('Hellof{"a":1}')
  })
})

describe('the body for an upstream', () => {
  const accepts = { streamOptions: true, maxCompletionTokens: true }
  const changes = { model: 'there', outputBound: null, accepts }
  const messages = [{ role: 'user', content: 'Hi' }]

  test('has the name of the model there, and all other fields as they are', () => {
    const body = { model: 'here', messages, max_tokens: 5, temperature: 0.5, unknown: { deep: [1.5, null] } }
    expect(chatApi.upstreamBody(body, changes)).toEqual({ ...body, model: 'there' })
  })

  test.each<[string, JsonObject, number | null, boolean, JsonObject]>([
    ['the bound', {}, 77, true, { max_completion_tokens: 77 }],
    ['the bound under the older name', {}, 77, false, { max_tokens: 77 }],
    ['the bound in place of null', { max_completion_tokens: null }, 77, true, { max_completion_tokens: 77 }],
    [
      'the maximum that only other APIs know',
      { max_output_tokens: 5 },
      null,
      true,
      { max_output_tokens: 5, max_completion_tokens: 5 },
    ],
    [
      'both maxima as they are',
      { max_tokens: 4000, max_completion_tokens: 1 },
      null,
      true,
      { max_tokens: 4000, max_completion_tokens: 1 },
    ],
  ])('has %s', (_, body, outputBound, maxCompletionTokens, expected) => {
    const sent = chatApi.upstreamBody(
      { messages, ...body },
      { ...changes, outputBound, accepts: { ...accepts, maxCompletionTokens } },
    )
    expect(sent).toEqual({ messages, model: 'there', ...expected })
  })

  test('requests the usage of a stream, if the upstream accepts that', () => {
    const body = { messages, stream: true, stream_options: { include_obfuscation: false } }
    expect(chatApi.upstreamBody(body, changes).stream_options).toEqual({
      include_obfuscation: false,
      include_usage: true,
    })
    const refused = chatApi.upstreamBody(body, { ...changes, accepts: { ...accepts, streamOptions: false } })
    expect(refused).toEqual({ messages, stream: true, model: 'there' })
    expect(chatApi.upstreamBody({ messages }, changes)).not.toHaveProperty('stream_options')
  })
})
