import type { ChatRequest } from '../core/ports/chat-backend.ts'
import { isObject } from './chat-objects.ts'

/** What a prompt is made of: texts to be counted, and tokens that are added whatever the texts say. */
export interface PromptParts {
  readonly texts: readonly string[]
  readonly overhead: number
}

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

const NOTHING: PromptParts = { texts: [], overhead: 0 }

/** The parts of `request` that OpenAI counts as input. Tools and images are estimated: their true count is not public. */
export const promptParts = (request: ChatRequest): PromptParts =>
  join([
    { texts: [], overhead: REPLY_PRIMING },
    ...request.messages.map(messageParts),
    toolParts(request.tools ?? request.functions),
    jsonParts(isObject(request.response_format) ? request.response_format.json_schema : undefined),
  ])

const join = (parts: readonly PromptParts[]): PromptParts => ({
  texts: parts.flatMap(({ texts }) => texts),
  overhead: parts.reduce((sum, { overhead }) => sum + overhead, 0),
})

const messageParts = (message: unknown): PromptParts => {
  if (!isObject(message)) return NOTHING
  const { role, name, content, tool_calls, function_call } = message
  return join([
    { texts: [], overhead: PER_MESSAGE },
    textParts(role),
    typeof name === 'string' ? { texts: [name], overhead: PER_NAME } : NOTHING,
    ...(Array.isArray(content) ? content.map(contentPart) : [textParts(content)]),
    jsonParts(tool_calls),
    jsonParts(function_call),
  ])
}

const contentPart = (part: unknown): PromptParts => {
  if (!isObject(part)) return NOTHING
  if (part.type === 'image_url') return { texts: [], overhead: imageTokens(part.image_url) }
  return join([textParts(part.text), textParts(part.refusal)])
}

const imageTokens = (image: unknown): number =>
  isObject(image) && image.detail === 'low' ? LOW_DETAIL_IMAGE : IMAGE

const toolParts = (tools: unknown): PromptParts =>
  Array.isArray(tools) && tools.length > 0
    ? join([jsonParts(tools), { texts: [], overhead: PER_TOOL * tools.length + TOOLS_END }])
    : NOTHING

const textParts = (text: unknown): PromptParts =>
  typeof text === 'string' ? { texts: [text], overhead: 0 } : NOTHING

const jsonParts = (value: unknown): PromptParts =>
  value === undefined || value === null ? NOTHING : { texts: [JSON.stringify(value)], overhead: 0 }
