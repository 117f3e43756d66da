import assert from 'node:assert/strict'
import Anthropic, { APIError } from '@anthropic-ai/sdk'
import { CITY_SCHEMA, expectCity, expectImageText, expectText, expectTokens, IMAGE, run } from './harness.mjs'

/**
 * Requests as Claude Code sends them: `ANTHROPIC_BASE_URL` and `ANTHROPIC_AUTH_TOKEN`, streams of `/v1/messages?beta=true` with
 * a cached system prompt and tools, and `count_tokens`.
 */
const clientOf = ({ url, key, retries }) =>
  new Anthropic({
    apiKey: null,
    authToken: key,
    baseURL: url,
    ...(retries !== undefined && { maxRetries: retries }),
  })

const CACHED = { cache_control: { type: 'ephemeral' } }

const BETAS = ['claude-code-20250219']

const TOOLS = [
  { name: 'Weather', description: 'The weather of a city', input_schema: CITY_SCHEMA, ...CACHED },
]

const request = ({ model, prompt }) => ({
  model,
  max_tokens: 50,
  system: [{ type: 'text', text: 'You are Claude Code.', ...CACHED }],
  messages: [{ role: 'user', content: [{ type: 'text', text: prompt, ...CACHED }] }],
  metadata: { user_id: 'user_1_account_2_session_3' },
  betas: BETAS,
})

const final = (t, rest = {}) =>
  clientOf(t)
    .beta.messages.stream({ ...request(t), ...rest })
    .finalMessage()

await run({
  async ask(t) {
    const { content, usage } = await final(t)
    expectTokens(usage.input_tokens, usage.output_tokens)
    return content[0].text
  },
  statusOf: (error) => (error instanceof APIError ? error.status : undefined),
  features: {
    async streamed(t) {
      const stream = await clientOf(t).beta.messages.create({ ...request(t), stream: true })
      const types = new Set()
      let text = ''
      for await (const event of stream) {
        types.add(event.type)
        if (event.type === 'message_start') expectTokens(event.message.usage.input_tokens)
        if (event.type === 'content_block_delta') text += event.delta.text
      }
      assert.ok(types.has('message_delta') && types.has('message_stop'))
      expectText(t, text)
    },
    async tools(t) {
      const { content, stop_reason } = await final(t, { tools: TOOLS, tool_choice: { type: 'any' } })
      assert.equal(stop_reason, 'tool_use')
      const call = content.find(({ type }) => type === 'tool_use')
      expectCity(t, call.input)
      const result = { type: 'tool_result', tool_use_id: call.id, content: 'sunny', ...CACHED }
      const messages = [
        ...request(t).messages,
        { role: 'assistant', content },
        { role: 'user', content: [result] },
      ]
      const answer = await final(t, { tools: TOOLS, messages })
      expectText(t, answer.content[0].text)
    },
    async images(t) {
      const source = { type: 'base64', media_type: 'image/png', data: IMAGE }
      const content = [
        { type: 'image', source },
        { type: 'text', text: 'What is this?' },
      ]
      const answer = await final(t, { messages: [{ role: 'user', content }] })
      expectImageText(t, answer.content[0].text)
    },
    async 'count tokens'(t) {
      const { model, system, messages, betas } = request(t)
      const counted = await clientOf(t).beta.messages.countTokens({
        model,
        system,
        messages,
        betas,
        tools: TOOLS,
      })
      expectTokens(counted.input_tokens)
    },
  },
  async abort(t) {
    const stream = await clientOf(t).beta.messages.create({ ...request(t), stream: true })
    for await (const event of stream) if (event.type === 'content_block_delta') break
    stream.controller.abort()
  },
})
