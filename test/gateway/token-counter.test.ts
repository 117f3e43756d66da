import { describe, expect, test } from 'vitest'
import { createTokenCounter, loadO200k } from '../../src/gateway/token-counter.ts'

const tokens = createTokenCounter()
const prompt = (request: Readonly<Record<string, unknown>>) =>
  tokens.countPrompt({ model: 'gpt-4o', messages: [], ...request })

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

describe('a prompt', () => {
  test("has OpenAI's count", async () => {
    expect(await prompt({ messages: COOKBOOK })).toBe(124)
  })

  test('counts three tokens for a message, and three for the reply', async () => {
    expect(await prompt({ messages: [{ role: 'user', content: '' }] })).toBe(3 + 3 + 1)
    expect(await prompt({ messages: [{ role: 'user', content: '' }, { role: 'user' }] })).toBe(
      3 + 2 * (3 + 1),
    )
  })

  test('counts text parts by their text, and images by their detail', async () => {
    const ofContent = (content: unknown) => prompt({ messages: [{ role: 'user', content }] })
    const plain = await ofContent('Hello there')
    const text = { type: 'text', text: 'Hello there' }
    const image = (detail?: string) => ({
      type: 'image_url',
      image_url: { url: `data:${'x'.repeat(5000)}`, detail },
    })
    expect(await ofContent([text])).toBe(plain)
    expect(await ofContent([text, image('low')])).toBe(plain + 85)
    expect(await ofContent([text, image()])).toBe(plain + 765)
  })

  test('counts tools, tool calls and a response schema', async () => {
    const messages = [{ role: 'user', content: 'Hi' }]
    const bare = await prompt({ messages })
    const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }]
    const calls = [
      { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } },
    ]
    expect(await prompt({ messages, tools })).toBeGreaterThan(bare + 19)
    expect(await prompt({ messages, tools: [] })).toBe(bare)
    expect(
      await prompt({ messages: [...messages, { role: 'assistant', tool_calls: calls }] }),
    ).toBeGreaterThan(bare + 20)
    expect(
      await prompt({ messages, response_format: { type: 'json_schema', json_schema: { name: 'x' } } }),
    ).toBeGreaterThan(bare)
  })

  test('counts control tokens within a text as plain text', async () => {
    expect(await tokens.countText('<|endoftext|>')).toBeGreaterThan(1)
  })
})

describe('a long text', () => {
  test('is counted exactly, whatever the text at its cuts', async () => {
    const count = await loadO200k()
    const text =
      'So "it\'s" done;    then\n\n  what?\n \n42 1234567 caf\u00e9s... \u6f22\u5b57 \ud83d\ude00\ud83d\ude00 x / y\t- z '.repeat(
        40,
      )
    expect(await tokens.countText(text)).toBe(count(text))
  })

  test.each([
    ['spaces', ' '],
    ['one letter', 'a'],
    ['emoji', '\ud83d\ude00'],
  ])('of %s without end is not counted in quadratic time', async (_, unit) => {
    // quadratic time would be minutes, longer than the timeout
    const counted = await tokens.countText(unit.repeat(200_000 / unit.length))
    expect(counted).toBeGreaterThan(200_000 / 128 / 2)
  })

  test('has at least the count of a shorter text', async () => {
    const [short, long] = ['one two three '.repeat(20_000), 'one two three '.repeat(60_000)]
    expect(await tokens.countText(long)).toBeGreaterThan(2.9 * (await tokens.countText(short)))
  })
})

describe('the tables', () => {
  test('load once, at the first count, and again if loading failed', async () => {
    let loads = 0
    const counter = createTokenCounter({
      load: async () => {
        if (++loads === 1) throw new Error('no such file')
        return (text) => text.length
      },
    })
    await expect(counter.countText('abc')).rejects.toThrow('no such file')
    expect([await counter.countText('abc'), await counter.countText('ab'), loads]).toEqual([3, 2, 2])
  })
})
