import assert from 'node:assert/strict'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import { APICallError, embedMany, generateText, jsonSchema, Output, RetryError, streamText, tool } from 'ai'
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

/** `openai` or `anthropic`: the provider package. */
const provider = process.argv[2]

const openAiOf = ({ url, key }) => createOpenAI({ apiKey: key, baseURL: `${url}/v1` })

const modelOf = (t) =>
  provider === 'openai'
    ? openAiOf(t).chat(t.model)
    : createAnthropic({ apiKey: t.key, baseURL: `${t.url}/v1` })(t.model)

const call = (t, model = modelOf(t)) => ({
  model,
  prompt: t.prompt,
  maxOutputTokens: 50,
  ...(t.retries !== undefined && { maxRetries: t.retries }),
})

/** Resolves to the streamed text; rejects with the error that the stream contains. */
const streamedText = async (options) => {
  let failure
  const result = streamText({ ...options, onError: ({ error }) => (failure = error) })
  let text = ''
  for await (const part of result.textStream) text += part
  if (failure !== undefined) throw failure
  return { text, usage: await result.usage, toolCalls: await result.toolCalls }
}

const TOOLS = {
  tools: { weather: tool({ description: 'weather of a city', inputSchema: jsonSchema(CITY_SCHEMA) }) },
  toolChoice: 'required',
}

const responses = {
  async responses(t) {
    const model = openAiOf(t).responses(t.model)
    const { text, usage } = await generateText(call(t, model))
    expectText(t, text)
    expectTokens(usage.inputTokens, usage.outputTokens)
    const { toolCalls } = await generateText({ ...call(t, model), ...TOOLS })
    expectCity(t, toolCalls[0].input)
  },
  async 'responses, streamed'(t) {
    const { text, usage } = await streamedText(call(t, openAiOf(t).responses(t.model)))
    expectText(t, text)
    expectTokens(usage.inputTokens, usage.outputTokens)
  },
  async embeddings(t) {
    const { embeddings, usage } = await embedMany({
      model: openAiOf(t).embeddingModel(t.embeddingModel),
      values: ['one', 'two'],
    })
    assert.equal(embeddings.length, 2)
    if (t.target === 'upstream') assert.deepEqual(embeddings[0], [0.25, -0.5, 0.75, 1])
    expectTokens(usage.tokens)
  },
}

await run({
  async ask(t) {
    const { text, usage } = await generateText(call(t))
    expectTokens(usage.inputTokens, usage.outputTokens)
    return text
  },
  statusOf(error) {
    const cause = RetryError.isInstance(error) ? error.lastError : error
    return APICallError.isInstance(cause) ? cause.statusCode : undefined
  },
  features: {
    async streamed(t) {
      const { text, usage } = await streamedText(call(t))
      expectText(t, text)
      expectTokens(usage.inputTokens, usage.outputTokens)
    },
    async tools(t) {
      const { toolCalls } = await generateText({ ...call(t), ...TOOLS })
      expectCity(t, toolCalls[0].input)
      const streamed = await streamedText({ ...call(t), ...TOOLS })
      expectCity(t, streamed.toolCalls[0].input)
    },
    async 'structured output'(t) {
      const output = Output.object({ schema: jsonSchema(WEATHER_SCHEMA) })
      const result = await generateText({ ...call(t), output })
      expectWeather(t, result.output)
    },
    async images(t) {
      const { prompt: _, ...options } = call(t)
      const content = [
        { type: 'text', text: 'What is this?' },
        { type: 'image', image: IMAGE, mediaType: 'image/png' },
      ]
      const { text } = await generateText({ ...options, messages: [{ role: 'user', content }] })
      expectImageText(t, text)
    },
    ...(provider === 'openai' && responses),
  },
  async abort(t) {
    const leaving = new AbortController()
    const options = { ...call(t), abortSignal: leaving.signal, onError: () => {} }
    for await (const text of streamText(options).textStream) if (text !== '') leaving.abort()
  },
})
