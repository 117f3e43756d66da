import assert from 'node:assert/strict'
import { ChatAnthropic } from '@langchain/anthropic'
import { HumanMessage, ToolMessage } from '@langchain/core/messages'
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai'
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

/** `openai` or `anthropic`: the integration package. */
const provider = process.argv[2]

const openAiOf = ({ url, key, model, retries }, rest = {}) =>
  new ChatOpenAI({
    model,
    apiKey: key,
    maxTokens: 50,
    configuration: { baseURL: `${url}/v1` },
    ...(retries !== undefined && { maxRetries: retries }),
    ...rest,
  })

const modelOf = (t) =>
  provider === 'openai'
    ? openAiOf(t)
    : new ChatAnthropic({
        model: t.model,
        apiKey: t.key,
        anthropicApiUrl: t.url,
        maxTokens: 50,
        ...(t.retries !== undefined && { maxRetries: t.retries }),
      })

const TOOL = {
  type: 'function',
  function: { name: 'weather', description: 'weather', parameters: CITY_SCHEMA },
}

const bound = (t) => modelOf(t).bindTools([TOOL], { tool_choice: 'any' })

/** The chunks of a stream as one. */
const streamed = async (stream) => {
  let whole
  for await (const chunk of await stream) whole = whole === undefined ? chunk : whole.concat(chunk)
  return whole
}

const expectUsage = ({ usage_metadata: usage }) => expectTokens(usage.input_tokens, usage.output_tokens)

const ofOpenAi = {
  async embeddings(t) {
    const embeddings = new OpenAIEmbeddings({
      model: t.embeddingModel,
      apiKey: t.key,
      configuration: { baseURL: `${t.url}/v1` },
      maxRetries: 0,
    })
    const vectors = await embeddings.embedDocuments(['one', 'two'])
    assert.equal(vectors.length, 2)
    if (t.target === 'upstream') assert.deepEqual(vectors[0], [0.25, -0.5, 0.75, 1])
  },
  async responses(t) {
    const message = await openAiOf(t, { useResponsesApi: true }).invoke(t.prompt)
    expectText(t, message.text)
    expectUsage(message)
  },
  async 'responses, streamed'(t) {
    const message = await streamed(openAiOf(t, { useResponsesApi: true }).stream(t.prompt))
    expectText(t, message.text)
    expectUsage(message)
  },
}

await run({
  async ask(t) {
    const message = await modelOf(t).invoke(t.prompt)
    expectUsage(message)
    return message.text
  },
  statusOf: (error) => error.status,
  features: {
    async streamed(t) {
      const message = await streamed(modelOf(t).stream(t.prompt))
      expectText(t, message.text)
      expectUsage(message)
    },
    async tools(t) {
      const message = await bound(t).invoke(t.prompt)
      expectCity(t, message.tool_calls[0].args)
      const { tool_calls } = await streamed(bound(t).stream(t.prompt))
      expectCity(t, tool_calls[0].args)
      const result = new ToolMessage({ content: 'sunny', tool_call_id: message.tool_calls[0].id })
      const answer = await modelOf(t)
        .bindTools([TOOL])
        .invoke([new HumanMessage(t.prompt), message, result])
      expectText(t, answer.text)
    },
    async 'structured output'(t) {
      const schema = { title: 'weather', ...WEATHER_SCHEMA }
      expectWeather(t, await modelOf(t).withStructuredOutput(schema).invoke(t.prompt))
    },
    async images(t) {
      const content = [
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${IMAGE}` } },
      ]
      expectImageText(t, (await modelOf(t).invoke([new HumanMessage({ content })])).text)
    },
    ...(provider === 'openai' && ofOpenAi),
  },
  async abort(t) {
    const leaving = new AbortController()
    try {
      for await (const { text } of await modelOf(t).stream(t.prompt, { signal: leaving.signal })) {
        if (text !== '') leaving.abort()
      }
    } catch (error) {
      if (!leaving.signal.aborted) throw error
    }
  },
})
