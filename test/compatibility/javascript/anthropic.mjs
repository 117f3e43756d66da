import assert from 'node:assert/strict'
import Anthropic, { APIError, AuthenticationError, RateLimitError } from '@anthropic-ai/sdk'
import {
  CITY_SCHEMA,
  expectCity,
  expectImageText,
  expectText,
  expectTokens,
  expectWeather,
  IMAGE,
  run,
  WEATHER_SCHEMA,
} from './harness.mjs'

const clientOf = ({ url, key, retries }) =>
  new Anthropic({ apiKey: key, baseURL: url, ...(retries !== undefined && { maxRetries: retries }) })

const message = ({ model, prompt }) => ({
  model,
  max_tokens: 50,
  messages: [{ role: 'user', content: prompt }],
})

const TOOLS = {
  tools: [{ name: 'weather', input_schema: CITY_SCHEMA }],
  tool_choice: { type: 'any' },
}

await run({
  async ask(t) {
    const { data, response } = await clientOf(t).messages.create(message(t)).withResponse()
    assert.match(response.headers.get('anthropic-ratelimit-requests-limit') ?? '', /^\d+$/)
    expectTokens(data.usage.input_tokens, data.usage.output_tokens)
    return data.content[0].text
  },
  statusOf(error) {
    if (error.status === 401) assert.ok(error instanceof AuthenticationError)
    if (error.status === 429) assert.ok(error instanceof RateLimitError)
    return error instanceof APIError ? error.status : undefined
  },
  features: {
    async streamed(t) {
      const stream = clientOf(t).messages.stream(message(t))
      let text = ''
      stream.on('text', (delta) => {
        text += delta
      })
      const final = await stream.finalMessage()
      assert.equal(final.content[0].text, text)
      expectText(t, text)
      expectTokens(final.usage.input_tokens, final.usage.output_tokens)
    },
    async tools(t) {
      const { content, stop_reason } = await clientOf(t).messages.create({ ...message(t), ...TOOLS })
      assert.equal(stop_reason, 'tool_use')
      const call = content.find(({ type }) => type === 'tool_use')
      expectCity(t, call.input)
      const streamed = await clientOf(t)
        .messages.stream({ ...message(t), ...TOOLS })
        .finalMessage()
      expectCity(t, streamed.content.find(({ type }) => type === 'tool_use').input)
      const result = [{ type: 'tool_result', tool_use_id: call.id, content: 'sunny' }]
      const messages = [
        ...message(t).messages,
        { role: 'assistant', content },
        { role: 'user', content: result },
      ]
      const answer = await clientOf(t).messages.create({ ...message(t), tools: TOOLS.tools, messages })
      expectText(t, answer.content[0].text)
    },
    async 'structured output'(t) {
      const format = { type: 'json_schema', schema: WEATHER_SCHEMA }
      const { content } = await clientOf(t).messages.parse({ ...message(t), output_config: { format } })
      expectWeather(t, JSON.parse(content[0].text))
    },
    async images(t) {
      const source = { type: 'base64', media_type: 'image/png', data: IMAGE }
      const content = [
        { type: 'image', source },
        { type: 'text', text: 'What is this?' },
      ]
      const answer = await clientOf(t).messages.create({
        ...message(t),
        messages: [{ role: 'user', content }],
      })
      expectImageText(t, answer.content[0].text)
    },
    async 'count tokens'(t) {
      const { model, messages } = message(t)
      const { input_tokens } = await clientOf(t).messages.countTokens({ model, messages })
      expectTokens(input_tokens)
    },
    async models(t) {
      const ids = []
      for await (const { id } of clientOf(t).models.list()) ids.push(id)
      assert.ok(ids.includes(t.model))
      assert.equal((await clientOf(t).models.retrieve(t.model)).id, t.model)
    },
  },
  async abort(t) {
    const stream = await clientOf(t).messages.create({ ...message(t), stream: true })
    for await (const event of stream) if (event.type === 'content_block_delta') break
    stream.controller.abort()
  },
})
