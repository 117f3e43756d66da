import type { JsonObject, JsonValue } from '../../core/model/json.ts'
import type { ModelUsage } from '../../core/ports/model-backend.ts'
import { isObject, objectsIn } from '../json-values.ts'
import type { PromptSink } from '../prompt/collected-prompt.ts'
import { readContent, readJson, readTools } from '../prompt/content.ts'
import { asksForUsage, type ChoiceOutput, createChoiceStreamReader } from './choice-stream.ts'
import { choicesOf, largestMaximum, namesOneOf } from './output-bounds.ts'
import { completionUsage, credible, imagesIn, tierOf, withServed, writtenText } from './usage.ts'
import type { BodyChanges, FieldSupport, WireApi } from './wire-api.ts'

// https://github.com/openai/openai-cookbook/blob/main/examples/How_to_count_tokens_with_tiktoken.ipynb
const PER_MESSAGE = 3

const PER_NAME = 1

/** Every reply is primed with `<|start|>assistant<|message|>`. */
const REPLY_PRIMING = 3

/** An earlier spoken reply, of which a request contains only the id. */
const EARLIER_AUDIO = 300

/** Fields of a message that OpenAI does not count, or that have counts of their own. */
const COUNTED_APART = new Set(['role', 'name', 'content', 'audio', 'tool_call_id', 'cache_control'])

const readPrompt = (body: JsonObject, prompt: PromptSink): void => {
  prompt.tokens(REPLY_PRIMING)
  for (const message of objectsIn(body.messages)) readMessage(message, prompt)
  readTools(body.tools ?? body.functions, prompt)
  readJson(isObject(body.response_format) ? body.response_format.json_schema : undefined, prompt)
  readContent(isObject(body.prediction) ? body.prediction.content : undefined, prompt)
  // of compatible servers, which write them into the prompt
  readJson(body.documents, prompt)
}

const readMessage = (message: JsonObject, prompt: PromptSink): void => {
  const { role, name, content, audio } = message
  prompt.tokens(PER_MESSAGE)
  if (typeof role === 'string') prompt.text(role)
  if (typeof name === 'string') {
    prompt.tokens(PER_NAME)
    prompt.text(name)
  }
  readContent(content, prompt)
  if (isObject(audio)) prompt.tokens(EARLIER_AUDIO)
  for (const field in message) if (!COUNTED_APART.has(field)) readContent(message[field], prompt)
}

const choices = (body: JsonObject): number => choicesOf(body, ['n', 'best_of'])

const upstreamBody = (body: JsonObject, { model, outputBound, accepts }: BodyChanges): JsonObject => {
  const bound = outputBound ?? unboundedMaximum(body)
  return {
    ...withStreamOptions(body, accepts),
    model,
    ...(bound !== null && { [accepts.maxCompletionTokens ? 'max_completion_tokens' : 'max_tokens']: bound }),
  }
}

/** A maximum that only other APIs know: no upstream of chats obeys it. */
const unboundedMaximum = (body: JsonObject): number | null =>
  namesOneOf(body, ['max_tokens', 'max_completion_tokens']) ? null : largestMaximum(body)

/** A stream with its usage at the end, if the upstream accepts the field. */
export const withStreamOptions = (body: JsonObject, { streamOptions }: FieldSupport): JsonObject => {
  if (body.stream !== true) return body
  const { stream_options: asked, ...others } = body
  if (!streamOptions) return others
  return { ...others, stream_options: { ...(isObject(asked) && asked), include_usage: true } }
}

/** Fields in which models reason; providers repeat the text in several of them. */
const REASONING = ['reasoning_content', 'reasoning', 'reasoning_details', 'thinking_blocks'] as const

/** What a message, or a part of it in a stream, contains. */
const messageOutput = (message: JsonValue | undefined): ChoiceOutput => {
  if (!isObject(message)) return { text: '', isVisible: false }
  const images = imagesIn(message)
  const { content, refusal, tool_calls, function_call, audio } = message
  const reasoning = REASONING.map((field) => writtenText(message[field])).find((text) => text !== '')
  const texts = [content, refusal, tool_calls, function_call, audio].map((part) => writtenText(part))
  const text = texts.join('') + (reasoning ?? '')
  const isVisible = text !== '' || images > 0 || isObject(audio) || objectsIn(tool_calls).length > 0
  return images > 0 ? { text, isVisible, images } : { text, isVisible }
}

const usageOf = (response: JsonObject): ModelUsage | undefined => {
  let images = 0
  for (const { message } of objectsIn(response.choices)) if (isObject(message)) images += imagesIn(message)
  return withServed(completionUsage(response.usage), { tier: tierOf(response.service_tier), images })
}

const textOf = (response: JsonObject): string =>
  objectsIn(response.choices)
    .map(({ message }) => messageOutput(message).text)
    .join('')

/** OpenAI's chat completions: https://platform.openai.com/docs/api-reference/chat */
export const chatApi: WireApi = {
  name: 'chat',
  paths: { openai: '/chat/completions', bedrock: '/openai/v1/chat/completions' },
  readPrompt,
  choices,
  upstreamBody,
  usageOf: (response) => credible(usageOf(response), () => textOf(response) !== ''),
  textOf,
  createStreamReader: (body) =>
    createChoiceStreamReader({
      choices: choicesOf(body, ['n']),
      includesUsage: asksForUsage(body),
      readChoice: ({ delta, message }) => messageOutput(delta ?? message),
    }),
}
