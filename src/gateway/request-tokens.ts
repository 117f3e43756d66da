import type { ChatRequest } from '../core/ports/chat-backend.ts'
import { isObject } from './json-values.ts'

/** A text to be counted, or a fixed number of tokens. */
export type PromptPart = string | number

// https://github.com/openai/openai-cookbook/blob/main/examples/How_to_count_tokens_with_tiktoken.ipynb
const PER_MESSAGE = 3

const PER_NAME = 1

/** Every reply is primed with `<|start|>assistant<|message|>`. */
const REPLY_PRIMING = 3

const PER_TOOL = 7

const TOOLS_END = 12

// https://platform.openai.com/docs/guides/images-vision: a low-detail image, and one of 1024 × 1024 in high detail.
const LOW_DETAIL_IMAGE = 85

const IMAGE = 765

/**
 * The parts of `request` that OpenAI counts as input, one by one: a body can hold tens of thousands. Tools and images are
 * estimated: their true count is not public.
 */
export function* promptParts(request: ChatRequest): Generator<PromptPart> {
  yield REPLY_PRIMING
  for (const message of request.messages) yield* messageParts(message)
  yield* toolParts(request.tools ?? request.functions)
  yield* jsonParts(isObject(request.response_format) ? request.response_format.json_schema : undefined)
}

function* messageParts(message: unknown): Generator<PromptPart> {
  if (!isObject(message)) return
  const { role, name, content, tool_calls, function_call } = message
  yield PER_MESSAGE
  yield* textParts(role)
  if (typeof name === 'string') yield PER_NAME
  yield* textParts(name)
  if (Array.isArray(content)) for (const part of content) yield* contentPart(part)
  else yield* textParts(content)
  yield* jsonParts(tool_calls)
  yield* jsonParts(function_call)
}

function* contentPart(part: unknown): Generator<PromptPart> {
  if (!isObject(part)) return
  if (part.type === 'image_url') yield imageTokens(part.image_url)
  else {
    yield* textParts(part.text)
    yield* textParts(part.refusal)
  }
}

const imageTokens = (image: unknown): number =>
  isObject(image) && image.detail === 'low' ? LOW_DETAIL_IMAGE : IMAGE

function* toolParts(tools: unknown): Generator<PromptPart> {
  if (!Array.isArray(tools) || tools.length === 0) return
  yield* jsonParts(tools)
  yield PER_TOOL * tools.length + TOOLS_END
}

function* textParts(text: unknown): Generator<PromptPart> {
  if (typeof text === 'string') yield text
}

function* jsonParts(value: unknown): Generator<PromptPart> {
  if (value !== undefined && value !== null) yield JSON.stringify(value)
}

/** Keeps sums exact: `max_output_tokens` is not checked, and may be any number. */
const MAX_TOKENS = 1_000_000_000

/** Completion tokens of each choice of the simulated model. OpenAI prefers the newer field. */
export const tokensPerChoice = (request: ChatRequest, byDefault: number): number =>
  request.max_completion_tokens ?? request.max_tokens ?? byDefault

/**
 * The most completion tokens over all choices: the largest bound that `request` names, as upstreams differ in which one they
 * obey. `byDefault` for each choice where it names none.
 */
export const mostTokens = (request: ChatRequest, byDefault: number): number => {
  const { max_tokens, max_completion_tokens, max_output_tokens } = request
  const named = [max_tokens, max_completion_tokens, max_output_tokens].filter(isBound)
  const perChoice = named.length === 0 ? byDefault : Math.min(Math.max(...named), MAX_TOKENS)
  return perChoice * choicesOf(request)
}

export const choicesOf = (request: ChatRequest): number => request.n ?? 1

/** `max_output_tokens` is not a field of chats, and passes unchecked. */
const isBound = (value: unknown): value is number =>
  typeof value === 'number' && value >= 1 && Number.isInteger(value)
