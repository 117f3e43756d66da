import assert from 'node:assert/strict'
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

/** The package under its alias: `openai-6` or `openai-7`. */
const { default: OpenAI, APIError, AuthenticationError, RateLimitError } = await import(process.argv[2])

const clientOf = ({ url, key, retries }) =>
  new OpenAI({
    apiKey: key,
    baseURL: `${url}/v1`,
    ...(retries !== undefined && { maxRetries: retries }),
  })

const chat = ({ model, prompt }) => ({
  model,
  max_completion_tokens: 50,
  messages: [{ role: 'user', content: prompt }],
})

const TOOLS = {
  tools: [{ type: 'function', function: { name: 'weather', parameters: CITY_SCHEMA } }],
  tool_choice: 'required',
}

const SCHEMA = { name: 'weather', strict: true, schema: WEATHER_SCHEMA }

await run({
  async ask(t) {
    const { data, response } = await clientOf(t).chat.completions.create(chat(t)).withResponse()
    assert.match(response.headers.get('x-ratelimit-limit-requests') ?? '', /^\d+$/)
    expectTokens(data.usage.prompt_tokens, data.usage.completion_tokens)
    return data.choices[0].message.content
  },
  statusOf(error) {
    if (error.status === 401) assert.ok(error instanceof AuthenticationError)
    if (error.status === 429) assert.ok(error instanceof RateLimitError)
    return error instanceof APIError ? error.status : undefined
  },
  features: {
    async streamed(t) {
      const stream = await clientOf(t).chat.completions.create({ ...chat(t), stream: true })
      let text = ''
      for await (const chunk of stream) {
        assert.equal(chunk.usage ?? null, null)
        text += chunk.choices[0].delta.content ?? ''
      }
      expectText(t, text)
      const counted = clientOf(t).chat.completions.stream({
        ...chat(t),
        stream_options: { include_usage: true },
      })
      const { usage } = await counted.finalChatCompletion()
      expectTokens(usage.prompt_tokens, usage.completion_tokens)
    },
    async tools(t) {
      const { choices } = await clientOf(t).chat.completions.create({ ...chat(t), ...TOOLS })
      const [call] = choices[0].message.tool_calls
      expectCity(t, JSON.parse(call.function.arguments))
      const stream = clientOf(t).chat.completions.stream({ ...chat(t), ...TOOLS })
      const streamed = await stream.finalChatCompletion()
      expectCity(t, JSON.parse(streamed.choices[0].message.tool_calls[0].function.arguments))
      const messages = [
        ...chat(t).messages,
        choices[0].message,
        { role: 'tool', tool_call_id: call.id, content: 'sunny' },
      ]
      const { tools } = TOOLS
      const answer = await clientOf(t).chat.completions.create({ ...chat(t), tools, messages })
      expectText(t, answer.choices[0].message.content)
    },
    async 'structured output'(t) {
      const format = { type: 'json_schema', json_schema: SCHEMA }
      const { choices } = await clientOf(t).chat.completions.parse({ ...chat(t), response_format: format })
      expectWeather(t, JSON.parse(choices[0].message.content))
    },
    async images(t) {
      const content = [
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${IMAGE}` } },
      ]
      const { choices } = await clientOf(t).chat.completions.create({
        ...chat(t),
        messages: [{ role: 'user', content }],
      })
      expectImageText(t, choices[0].message.content)
    },
    async embeddings(t) {
      const input = ['one', 'two']
      const { data, usage } = await clientOf(t).embeddings.create({ model: t.embeddingModel, input })
      assert.equal(data.length, 2)
      if (t.target === 'upstream') assert.deepEqual(data[0].embedding, [0.25, -0.5, 0.75, 1])
      assert.ok(data[1].embedding.every((value) => Number.isFinite(value)))
      expectTokens(usage.prompt_tokens)
    },
    async responses(t) {
      const { model, prompt } = t
      const response = await clientOf(t).responses.create({ model, input: prompt, max_output_tokens: 50 })
      expectText(t, response.output_text)
      expectTokens(response.usage.input_tokens, response.usage.output_tokens)
      const called = await clientOf(t).responses.create({
        model,
        input: prompt,
        tools: [{ type: 'function', name: 'weather', parameters: CITY_SCHEMA, strict: true }],
        tool_choice: 'required',
      })
      const call = called.output.find(({ type }) => type === 'function_call')
      expectCity(t, JSON.parse(call.arguments))
      const structured = await clientOf(t).responses.parse({
        model,
        input: prompt,
        text: { format: { type: 'json_schema', ...SCHEMA } },
      })
      expectWeather(t, JSON.parse(structured.output_text))
    },
    async 'responses, streamed'(t) {
      const { model, prompt } = t
      const stream = clientOf(t).responses.stream({ model, input: prompt, max_output_tokens: 50 })
      let text = ''
      for await (const event of stream) if (event.type === 'response.output_text.delta') text += event.delta
      const response = await stream.finalResponse()
      assert.equal(response.output_text, text)
      expectText(t, text)
      expectTokens(response.usage.output_tokens)
    },
    async models(t) {
      const ids = []
      for await (const { id } of clientOf(t).models.list()) ids.push(id)
      assert.ok(ids.includes(t.model))
      assert.equal((await clientOf(t).models.retrieve(t.model)).id, t.model)
    },
  },
  async abort(t) {
    const stream = await clientOf(t).chat.completions.create({ ...chat(t), stream: true })
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break
    stream.controller.abort()
  },
})
