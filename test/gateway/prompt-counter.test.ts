import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/core/model/json.ts'
import type { ModelApi, PromptEstimate } from '../../src/core/ports/model-backend.ts'
import { loadO200k } from '../../src/gateway/prompt/byte-pairs.ts'
import { createPromptCounter } from '../../src/gateway/prompt-counter.ts'
import { createWorkTurns } from '../../src/gateway/work-turns.ts'
import { aModel } from '../store/store-fixtures.ts'

const counter = createPromptCounter({ places: Array.from({ length: 48 }, (_, part) => (part % 7) / 7) })
const gpt = aModel({ id: 'gpt-4o' })

/** Bodies are written as they arrive: as JSON. */
const json = (body: object): JsonObject => JSON.parse(JSON.stringify(body))

/** Of a short prompt, or of a long one after it was counted. */
const estimateOf = async (api: ModelApi, body: object, model = gpt): Promise<PromptEstimate> => {
  const prompt = await counter.estimate({ api, model, body: json(body) })
  return 'least' in prompt ? prompt.count() : prompt
}

const inputOf = async (api: ModelApi, body: object, model = gpt): Promise<number> =>
  (await estimateOf(api, body, model)).inputTokens

const chat = (body: object, model = gpt) => inputOf('chat', { messages: [], ...body }, model)

/** From OpenAI's cookbook, which compares them with the counts of the API for gpt-4o. */
const COOKBOOK = [
  {
    role: 'system',
    content:
      'You are a helpful, pattern-following assistant that translates corporate jargon into plain English.',
  },
  { role: 'system', name: 'example_user', content: 'New synergies will help drive top-line growth.' },
  {
    role: 'system',
    name: 'example_assistant',
    content: 'Things working well together will increase revenue.',
  },
  {
    role: 'system',
    name: 'example_user',
    content:
      "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
  },
  {
    role: 'system',
    name: 'example_assistant',
    content: "Let's talk later when we're less busy about how to do better.",
  },
  {
    role: 'user',
    content: "This late pivot means we don't have time to boil the ocean for the client deliverable.",
  },
]

describe('a prompt of chat', () => {
  test("has OpenAI's count", async () => {
    expect(await chat({ messages: COOKBOOK })).toBe(124)
  })

  test('counts three tokens for a message, and three for the reply', async () => {
    expect(await chat({ messages: [{ role: 'user', content: '' }] })).toBe(3 + 3 + 1)
    expect(await chat({ messages: [{ role: 'user', content: '' }, { role: 'user' }] })).toBe(3 + 2 * (3 + 1))
  })

  test('counts text parts by their text', async () => {
    const plain = await chat({ messages: [{ role: 'user', content: 'Hello there' }] })
    expect(
      await chat({ messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello there' }] }] }),
    ).toBe(plain)
  })

  test('counts control tokens within a text as text', async () => {
    expect(await counter.countText('<|endoftext|>')).toBeGreaterThan(1)
  })

  test('counts tools by their definitions', async () => {
    const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }]
    const bare = await chat({})
    expect(await chat({ tools })).toBeGreaterThan(bare + 19)
    expect(await chat({ functions: [{ name: 'weather', parameters: {} }] })).toBeGreaterThan(bare + 19)
    expect(await chat({ tools: [] })).toBe(bare)
  })
})

const base64 = (bytes: number) => Buffer.alloc(bytes, 7).toString('base64')
const png = (width: number, height: number) => {
  const header = Buffer.alloc(24)
  header.write('\x89PNG\r\n\x1a\n', 'latin1')
  header.writeUInt32BE(width, 16)
  header.writeUInt32BE(height, 20)
  return header.toString('base64')
}

describe('everything that an upstream bills', () => {
  test('counts hidden thinking by its size, not as text', async () => {
    const messages = (data: string) => [{ role: 'user', content: [{ type: 'redacted_thinking', data }] }]
    const added =
      (await chat({ messages: messages(base64(3000)) })) - (await chat({ messages: messages('') }))
    expect(added).toBe(800)
  })

  /** The least tokens that each adds to a message. */
  test.each<[string, object, number]>([
    ['audio', { type: 'input_audio', input_audio: { data: base64(40_000), format: 'mp3' } }, 100],
    ['long audio', { type: 'input_audio', input_audio: { data: base64(400_000), format: 'mp3' } }, 1000],
    [
      'a file',
      {
        type: 'file',
        file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${base64(160_000)}` },
      },
      10_000,
    ],
    ['a file by its id', { type: 'file', file: { file_id: 'file-1' } }, 1000],
    ['a video by its address', { type: 'video_url', video_url: { url: 'https://example.com/v.mp4' } }, 1000],
    [
      'a video',
      { type: 'video_url', video_url: { url: `data:video/mp4;base64,${base64(3_000_000)}` } },
      5500,
    ],
    ['an image', { type: 'image_url', image_url: { url: 'https://example.com/i.png' } }, 85],
    ['thinking', { type: 'thinking', thinking: 'one two three four', signature: 'x' }, 4],
    ['hidden thinking', { type: 'redacted_thinking', data: base64(1000) }, 200],
    ['a result of a tool', { type: 'tool_result', tool_use_id: 'toolu_1', content: 'one two three four' }, 4],
    [
      'an image in a result',
      {
        type: 'tool_result',
        content: [{ type: 'image', source: { type: 'base64', data: png(1024, 1024) } }],
      },
      700,
    ],
    ['a refusal', { type: 'refusal', refusal: 'one two three four' }, 4],
    [
      'a document',
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'one two three four' } },
      4,
    ],
    [
      'a document of blocks',
      {
        type: 'document',
        source: { type: 'content', content: [{ type: 'text', text: 'one two three four' }] },
      },
      4,
    ],
    [
      'a PDF',
      { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: base64(160_000) } },
      10_000,
    ],
    [
      'anything unknown',
      { type: 'hologram', hologram: { words: ['one two', 'three four'], size: 12345 } },
      6,
    ],
  ])('counts: %s', async (_, part, least) => {
    const [chatBare, messagesBare] = [
      await chat({ messages: [{ role: 'user', content: [] }] }),
      await inputOf('messages', { messages: [{ role: 'user', content: [] }] }),
    ]
    const messages = [{ role: 'user', content: [part] }]
    expect(await chat({ messages })).toBeGreaterThanOrEqual(chatBare + least)
    expect(await inputOf('messages', { messages })).toBeGreaterThanOrEqual(messagesBare + least)
  })

  test.each<[string, object, number]>([
    ['earlier refusals', { refusal: 'one two three four' }, 4],
    ['earlier reasoning', { reasoning_content: 'one two three four' }, 4],
    [
      'earlier calls',
      {
        tool_calls: [
          { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } },
        ],
      },
      20,
    ],
    ['an older call', { function_call: { name: 'weather', arguments: '{"city":"Paris"}' } }, 8],
    ['earlier audio', { audio: { id: 'audio_1' } }, 100],
    [
      'fields of other providers',
      { thinking_blocks: [{ type: 'thinking', thinking: 'one two three four' }] },
      4,
    ],
  ])('counts in messages: %s', async (_, fields, least) => {
    const message = { role: 'assistant', content: null }
    const bare = await chat({ messages: [message] })
    expect(await chat({ messages: [{ ...message, ...fields }] })).toBeGreaterThanOrEqual(bare + least)
  })

  test.each<[ModelApi, string, object, number]>([
    ['chat', 'a prediction', { prediction: { type: 'content', content: 'one two three four' } }, 4],
    [
      'chat',
      'a schema',
      { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' } } } },
      5,
    ],
    ['chat', 'documents', { documents: [{ title: 'one two', text: 'three four' }] }, 4],
    ['completions', 'a suffix', { suffix: 'one two three four' }, 4],
    ['completions', 'each prompt', { prompt: ['one two', 'three four'] }, 4],
    ['completions', 'token ids', { prompt: [[1, 2, 3], [4]] }, 4],
    ['embeddings', 'token ids', { input: [1, 2, 3, 4] }, 4],
    ['embeddings', 'each text', { input: ['one two', 'three four'] }, 4],
    ['responses', 'instructions', { instructions: 'one two three four' }, 4],
    [
      'responses',
      'calls',
      { input: [{ type: 'function_call', call_id: 'c', name: 'weather', arguments: '{"city":"Paris"}' }] },
      8,
    ],
    [
      'responses',
      'outputs of calls',
      { input: [{ type: 'function_call_output', call_id: 'c', output: 'one two three four' }] },
      4,
    ],
    [
      'responses',
      'screenshots',
      {
        input: [
          {
            type: 'computer_call_output',
            output: { type: 'computer_screenshot', image_url: 'https://example.com/i.png' },
          },
        ],
      },
      85,
    ],
    [
      'responses',
      'generated images',
      { input: [{ type: 'image_generation_call', result: png(1024, 1024) }] },
      700,
    ],
    [
      'responses',
      'encrypted reasoning',
      { input: [{ type: 'reasoning', summary: [], encrypted_content: base64(3000) }] },
      800,
    ],
    [
      'responses',
      'files',
      { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'file-1' }] }] },
      1000,
    ],
    ['responses', 'items by their ids', { input: [{ type: 'item_reference', id: 'msg_1' }] }, 999],
    ['responses', 'a schema', { text: { format: { type: 'json_schema', schema: { type: 'object' } } } }, 3],
    ['responses', 'tools', { tools: [{ type: 'function', name: 'weather' }] }, 19],
    ['messages', 'the system prompt', { system: 'one two three four' }, 4],
    [
      'messages',
      'the system prompt in blocks',
      { system: [{ type: 'text', text: 'one two three four' }] },
      4,
    ],
    ['messages', 'tools', { tools: [{ name: 'weather', input_schema: { type: 'object' } }] }, 346],
    ['count_tokens', 'messages', { messages: [{ role: 'user', content: 'one two three four' }] }, 8],
  ])('counts in %s: %s', async (api, _, fields, least) => {
    const bare = await inputOf(api, {})
    expect(await inputOf(api, fields)).toBeGreaterThanOrEqual(bare + least)
  })
})

describe('images', () => {
  const image = (url: string, detail?: string) => ({
    messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url, detail } }] }],
  })
  const bare = 3 + 3 + 1
  const small = `data:image/png;base64,${png(512, 512)}`
  const large = `data:image/png;base64,${png(4096, 8192)}`

  test.each<[string, string, string | undefined, number]>([
    ['gpt-4o', small, undefined, 85 + 170],
    ['gpt-4o', large, undefined, 85 + 170 * 6],
    ['gpt-4o', large, 'low', 85],
    ['gpt-4o', 'https://example.com/i.png', undefined, 765],
    ['gpt-4o', `data:${'x'.repeat(5000)}`, undefined, 765],
    ['gpt-4o-mini', small, undefined, 2833 + 5667],
    ['gpt-5', small, undefined, 70 + 140],
    ['gpt-4.1-mini', small, undefined, Math.ceil(256 * 1.62)],
    ['gpt-4.1-mini', large, undefined, Math.ceil(1536 * 1.62)],
    ['o3', small, undefined, 75 + 150],
  ])('%s counts an image by the published rule (%#)', async (id, url, detail, tokens) => {
    expect((await chat(image(url, detail), aModel({ id }))) - bare).toBe(tokens)
  })

  test('Claude counts pixels', async () => {
    const claude = aModel({ id: 'claude-sonnet-4-5' })
    const message = (data: string) => ({
      messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'base64', data } }] }],
    })
    const added = async (data: string) =>
      (await inputOf('messages', message(data), claude)) - Math.ceil(7 * 1.25)
    expect(Math.abs((await added(png(750, 100))) - 100 * 1.25)).toBeLessThanOrEqual(1)
    expect(Math.abs((await added(large.split(',')[1] ?? '')) - 1600 * 1.25)).toBeLessThanOrEqual(1)
  })
})

describe('families', () => {
  const messages = [{ role: 'user', content: 'one two three four five six seven eight nine ten' }]

  test.each(['gpt-4', 'gpt-3.5-turbo', 'o3-mini', 'my-model', 'llama-3'])(
    '%s counts as gpt-4o',
    async (id) => {
      expect(await chat({ messages }, aModel({ id }))).toBe(await chat({ messages }))
    },
  )

  test.each([
    aModel({ id: 'claude-haiku-4-5' }),
    aModel({ id: 'us.anthropic.claude-opus-4-1-20250805-v1:0' }),
    aModel({ id: 'smart', upstreams: [{ upstream: 'a', model: 'claude-opus-4-1' }] }),
  ])('$id counts a quarter more', async (model) => {
    expect(await chat({ messages }, model)).toBe(Math.ceil((await chat({ messages })) * 1.25))
  })
})

describe('the maximum of the output', () => {
  test.each<[string, object, number | null]>([
    ['none', {}, null],
    ['nulls', { max_tokens: null, max_completion_tokens: null }, null],
    ['the older name', { max_tokens: 50 }, 50],
    ['the newer name', { max_completion_tokens: 50 }, 50],
    ['the larger of both', { max_tokens: 4000, max_completion_tokens: 1 }, 4000],
    ['the larger of both, in the other order', { max_tokens: 1, max_completion_tokens: 4000 }, 4000],
    ['the name of other APIs', { max_output_tokens: 4000, max_tokens: 1 }, 4000],
    ['as many for each choice', { max_tokens: 3, max_completion_tokens: 5, n: 4 }, 20],
    ['the best of several', { max_tokens: 3, best_of: 5 }, 15],
    ['no maximum that is no number', { max_output_tokens: 'many', max_tokens: 3 }, 3],
    ['none beside what is no maximum', { max_output_tokens: -1 }, null],
    ['a whole number, whatever is named', { max_output_tokens: 1e300, n: 128 }, 2_560_000_000],
  ])('of chat, messages and responses is %s', async (_, body, most) => {
    expect((await estimateOf('chat', { messages: [], ...body })).namedOutputTokens).toBe(most)
    if ('n' in body || 'best_of' in body) return
    expect((await estimateOf('messages', { messages: [], ...body })).namedOutputTokens).toBe(most)
    expect((await estimateOf('responses', { input: 'x', ...body })).namedOutputTokens).toBe(most)
  })

  test('of completions counts each prompt', async () => {
    const estimate = await estimateOf('completions', { prompt: ['a', 'b'], max_tokens: 10, n: 3 })
    expect(estimate).toMatchObject({ namedOutputTokens: 60, choices: 6, defaultOutputTokens: null })
  })

  test.each<ModelApi>(['embeddings', 'count_tokens'])('of %s is none', async (api) => {
    expect(await estimateOf(api, { input: 'x', max_tokens: 5 })).toMatchObject({
      namedOutputTokens: null,
      choices: 0,
    })
  })
})

describe('a long text', () => {
  test('of up to 32,768 characters is counted exactly, whatever the text at its cuts', async () => {
    const count = await loadO200k()
    const text = 'So "it\'s" done;    then\n\n  what?\n \n42 1234567 cafés... 漢字 😀😀 x / y\t- z '.repeat(
      400,
    )
    expect(text.length).toBeGreaterThan(25_000)
    expect(await counter.countText(text)).toBe(count(text))
  })

  test.each([
    ['English', 'one two three, and so on. '],
    ['spaces', ' '],
    ['one letter', 'a'],
    ['emoji', '😀'],
    ['Chinese', '今天天气很好，我们去公园散步吧。'],
  ])('of %s is sampled, and counted with a small margin', async (_, unit) => {
    const count = await loadO200k()
    const text = unit.repeat(Math.ceil(300_000 / unit.length))
    const exact = Array.from({ length: Math.ceil(text.length / 5120) }, (_, piece) =>
      count(text.slice(piece * 5120, (piece + 1) * 5120)),
    ).reduce((sum, tokens) => sum + tokens, 0)
    const counted = await counter.countText(text)
    expect(counted / exact).toBeGreaterThan(0.99)
    expect(counted / exact).toBeLessThan(1.1)
  })

  test('that differs within itself is counted with a larger margin', async () => {
    const count = await loadO200k()
    const [cheap, dear] = [' '.repeat(100_000), '漢'.repeat(50_000)]
    const exact = count(cheap) + count(dear)
    const counted = await counter.countText(cheap + dear)
    expect(counted).toBeGreaterThan(exact)
    expect(counted).toBeLessThan(2 * exact)
  })

  test('in thousands of parts is counted like one', async () => {
    const part = { type: 'text', text: 'one two three four five six seven eight ' }
    const messages = [{ role: 'user', content: Array.from({ length: 2000 }, () => part) }]
    const tokens = await chat({ messages })
    expect(tokens).toBeGreaterThanOrEqual(16_000)
    expect(tokens).toBeLessThan(19_000)
  })

  test('takes bounded work, in turns', async () => {
    const spent: number[] = [0]
    const turns = createWorkTurns({
      freeWork: 1000,
      workPerTurn: 1000,
      nextTurn: async () => {
        spent.push(0)
      },
    })
    const begin = (): ReturnType<typeof turns.begin> => {
      const task = turns.begin()
      return {
        spend(work) {
          spent[spent.length - 1] = (spent.at(-1) ?? 0) + work
          return task.spend(work)
        },
      }
    }
    const watched = createPromptCounter({ turns: { begin } })
    const random = Array.from({ length: 1_000_000 }, (_, at) =>
      String.fromCharCode(0x100 + ((at * 7919) % 0x2f00)),
    ).join('')
    await watched.countText(random)
    const all = spent.reduce((sum, work) => sum + work, 0)
    // 48 samples of 512 characters with at most three tokens each
    expect(all).toBeLessThan(48 * (50 + 512 * 3 * 10))
    // a turn ends with the sample in which it exceeds its work
    expect(Math.max(...spent)).toBeLessThan(1000 + 50 + 512 * 3 * 10)
    expect(spent.length).toBeGreaterThan(10)
  })
})

describe('the least estimate', () => {
  const long = { messages: [{ role: 'user', content: 's'.repeat(520_000) }] }
  const leastOf = async (body: object, api: ModelApi = 'chat', by = counter) => {
    const prompt = await by.estimate({ api, model: gpt, body: json(body) })
    return 'least' in prompt ? prompt.least : undefined
  }

  test('of a short prompt is not needed, as it is counted', async () => {
    expect(await leastOf({ messages: COOKBOOK })).toBe(undefined)
  })

  test('of a long one is a lower bound by its length, found without the tokenizer', async () => {
    const blind = createPromptCounter({ load: () => Promise.reject(new Error('loaded')) })
    const estimate = await leastOf({ ...long, max_tokens: 7 }, 'chat', blind)
    expect(estimate).toEqual({
      inputTokens: Math.ceil(520_000 / 128) + 3 + 3 + 1,
      namedOutputTokens: 7,
      choices: 1,
      defaultOutputTokens: null,
    })
    expect(await chat(long)).toBeGreaterThanOrEqual(estimate?.inputTokens ?? 0)
  })

  test('of a short text beside many numbers is found too', async () => {
    const numbers = {
      messages: COOKBOOK,
      tools: [{ table: Array.from({ length: 5_000 }, (_, at) => at / 7) }],
    }
    const estimate = await leastOf(numbers)
    expect(estimate?.inputTokens).toBeGreaterThan(5_000)
    expect(estimate?.inputTokens).toBeLessThanOrEqual(await chat(numbers))
  })

  test('without a maximum has one token of output', async () => {
    expect(await leastOf({ ...long, n: 3 })).toMatchObject({
      namedOutputTokens: null,
      choices: 3,
      defaultOutputTokens: 1,
    })
    expect(await leastOf({ input: 's'.repeat(5000) }, 'embeddings')).toMatchObject({
      choices: 0,
      defaultOutputTokens: null,
    })
  })
})

test('a short prompt is counted at once when the tables are loaded', async () => {
  const request = { api: 'chat' as const, model: gpt, body: json({ messages: COOKBOOK }) }
  const fresh = createPromptCounter({ load: async () => (text) => text.length })
  const first = fresh.estimate(request)
  expect(first).toBeInstanceOf(Promise)
  expect(fresh.estimate(request)).toBeInstanceOf(Promise)
  expect(fresh.estimate(request)).toBeInstanceOf(Promise)
  expect(await first).toEqual(fresh.estimate(request))
})

test('the tables load once, at the first count, and again if loading failed', async () => {
  let loads = 0
  const failing = createPromptCounter({
    load: async () => {
      if (++loads === 1) throw new Error('no such file')
      return (text) => text.length
    },
  })
  await expect(failing.countText('abc')).rejects.toThrow('no such file')
  expect([await failing.countText('abc'), await failing.countText('ab'), loads]).toEqual([3, 2, 2])
})
