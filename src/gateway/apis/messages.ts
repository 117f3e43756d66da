import type { JsonObject, JsonValue } from '../../core/model/json.ts'
import type { ModelUsage } from '../../core/ports/model-backend.ts'
import { isObject, objectsIn, stringOf } from '../json-values.ts'
import type { PromptSink } from '../prompt/collected-prompt.ts'
import { readContent, readJson, readTools } from '../prompt/content.ts'
import { createNamedEventReader, type EventMeaning } from './named-events.ts'
import { largestMaximum, namesOneOf } from './output-bounds.ts'
import type { StreamRecord } from './stream-record.ts'
import { countOf, credible, tierOf, usageFrom, withServed, writtenText } from './usage.ts'
import type { BodyChanges, InputUsage, StreamReader, WireApi } from './wire-api.ts'

const PER_MESSAGE = 3

const REPLY_PRIMING = 3

/** The system prompt that Anthropic adds for tools: https://docs.claude.com/en/docs/agents-and-tools/tool-use/overview */
const TOOL_USE_PROMPT = 346

export const readMessagesPrompt = (body: JsonObject, prompt: PromptSink): void => {
  prompt.tokens(REPLY_PRIMING)
  readContent(body.system, prompt)
  for (const { role, content } of objectsIn(body.messages)) {
    prompt.tokens(PER_MESSAGE)
    if (typeof role === 'string') prompt.text(role)
    readContent(content, prompt)
  }
  readTools(body.tools, prompt)
  if (objectsIn(body.tools).length > 0) prompt.tokens(TOOL_USE_PROMPT)
  readJson(schemaIn(body.output_format), prompt)
  readJson(schemaIn(isObject(body.output_config) ? body.output_config.format : undefined), prompt)
}

const schemaIn = (format: JsonValue | undefined): JsonValue | undefined =>
  isObject(format) ? format.schema : undefined

const upstreamBody = (body: JsonObject, { model, outputBound }: BodyChanges): JsonObject => {
  const bound = outputBound ?? (namesOneOf(body, ['max_tokens']) ? null : largestMaximum(body))
  return { ...body, model, ...(bound !== null && { max_tokens: bound }) }
}

/** All input: `input_tokens` has only the part that is in no cache. */
const messageUsage = (usage: JsonValue | undefined): ModelUsage | undefined => {
  if (!isObject(usage)) return undefined
  const uncached = countOf(usage.input_tokens)
  const cached = countOf(usage.cache_read_input_tokens)
  const cacheWrite = countOf(usage.cache_creation_input_tokens)
  const { cache_creation: byLifetime } = usage
  const counted = usageFrom({
    input: uncached === undefined ? undefined : uncached + (cached ?? 0) + (cacheWrite ?? 0),
    output: countOf(usage.output_tokens),
    cached,
    cacheWrite,
    cacheWrite1h: isObject(byLifetime) ? countOf(byLifetime.ephemeral_1h_input_tokens) : undefined,
  })
  return withServed(counted, { tier: tierOf(usage.service_tier), images: 0 })
}

const inputOf = (usage: JsonValue | undefined): InputUsage | undefined => {
  const reported = isObject(usage) ? messageUsage({ ...usage, output_tokens: 0 }) : undefined
  if (reported === undefined) return undefined
  const { outputTokens: _, ...input } = reported
  return input
}

const textOf = ({ content }: JsonObject): string =>
  objectsIn(content)
    .filter(({ type }) => !stringOf(type).endsWith('_tool_result'))
    .map(({ input, ...block }) => writtenText(block) + argumentsText(input))
    .join('')

/** Arguments are written as JSON, numbers included. */
const argumentsText = (input: JsonValue | undefined): string => (isObject(input) ? JSON.stringify(input) : '')

/**
 * The input by the usage of a delta, which has none at some upstreams, and never states the lifetime of what is cached, nor
 * the tier.
 */
const corrected = (
  begun: InputUsage | undefined,
  reported: InputUsage | undefined,
): InputUsage | undefined => {
  if (begun === undefined || reported === undefined) return reported ?? begun
  const { cacheWrite1hTokens: forHour = 0, serviceTier } = begun
  const { cacheWriteTokens: written = 0 } = reported
  return {
    ...reported,
    ...(Math.min(forHour, written) > 0 && { cacheWrite1hTokens: Math.min(forHour, written) }),
    ...(serviceTier !== undefined && { serviceTier }),
  }
}

const createReader = (): StreamReader => {
  let input: InputUsage | undefined
  const readDelta = ({ delta, usage }: JsonObject, record: StreamRecord): EventMeaning => {
    const output = isObject(usage) ? countOf(usage.output_tokens) : undefined
    const all = corrected(input, inputOf(usage))
    if (output !== undefined && all !== undefined) record.report({ ...all, outputTokens: output })
    return { isComplete: isObject(delta) && stringOf(delta.stop_reason) !== '' }
  }
  return createNamedEventReader((type, event, record) => {
    if (type === 'message_delta') return readDelta(event, record)
    if (type === 'message_stop') return { isComplete: true }
    if (type === 'message_start') {
      input = isObject(event.message) ? inputOf(event.message.usage) : undefined
      record.reportInput(input)
    } else addOutput(event, record)
    return undefined
  })
}

/** A block's begin, which names a tool, or a delta of its text, thinking or arguments. */
const addOutput = ({ content_block: block, delta }: JsonObject, { add }: StreamRecord): void => {
  if (isObject(block)) {
    const text = stringOf(block.name) + stringOf(block.text)
    add(text, text !== '' || (block.type !== 'text' && block.type !== 'thinking'))
  }
  if (isObject(delta)) {
    const text = stringOf(delta.text) + stringOf(delta.thinking) + stringOf(delta.partial_json)
    add(text, text !== '' || isObject(delta.citation))
  }
}

/** Anthropic's Messages: https://docs.claude.com/en/api/messages */
export const messagesApi: WireApi = {
  name: 'messages',
  paths: { anthropic: '/v1/messages', bedrock: '/anthropic/v1/messages' },
  readPrompt: readMessagesPrompt,
  choices: () => 1,
  upstreamBody,
  usageOf: (response) => credible(messageUsage(response.usage), () => textOf(response) !== ''),
  textOf,
  createStreamReader: createReader,
}
