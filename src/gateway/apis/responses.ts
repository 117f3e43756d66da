import type { JsonObject } from '../../core/model/json.ts'
import type { ModelUsage } from '../../core/ports/model-backend.ts'
import { isObject, objectsIn, stringOf } from '../json-values.ts'
import type { PromptSink } from '../prompt/collected-prompt.ts'
import { readContent, readJson, readTools } from '../prompt/content.ts'
import { errorIn } from './error-in.ts'
import { createNamedEventReader, type EventMeaning } from './named-events.ts'
import { largestMaximum, namesOneOf } from './output-bounds.ts'
import type { StreamRecord } from './stream-record.ts'
import { credible, responseUsage, tierOf, withServed, writtenText } from './usage.ts'
import type { BodyChanges, StreamReader, WireApi } from './wire-api.ts'

const PER_MESSAGE = 3

const REPLY_PRIMING = 3

const readPrompt = (body: JsonObject, prompt: PromptSink): void => {
  prompt.tokens(REPLY_PRIMING)
  const { instructions, input, tools, text } = body
  if (typeof instructions === 'string') prompt.tokens(PER_MESSAGE)
  readContent(instructions, prompt)
  if (Array.isArray(input)) for (const item of objectsIn(input)) readItem(item, prompt)
  else readItem({ role: 'user', content: input ?? null }, prompt)
  readTools(tools, prompt)
  readJson(isObject(text) && isObject(text.format) ? text.format.schema : undefined, prompt)
}

/** A message, which may have no type, or another item: a call of a tool and its output, reasoning. */
const readItem = (item: JsonObject, prompt: PromptSink): void => {
  prompt.tokens(PER_MESSAGE)
  if (typeof item.role === 'string') {
    prompt.text(item.role)
    readContent(item.content, prompt)
  } else readContent(item, prompt)
}

const upstreamBody = (body: JsonObject, { model, outputBound }: BodyChanges): JsonObject => {
  const bound = outputBound ?? (namesOneOf(body, ['max_output_tokens']) ? null : largestMaximum(body))
  return { ...body, model, ...(bound !== null && { max_output_tokens: bound }) }
}

const textOf = ({ output }: JsonObject): string => writtenText(output)

/** With the id, by which a later request can continue the response. */
const usageOf = ({ id, usage, service_tier, output }: JsonObject): ModelUsage | undefined => {
  const images = objectsIn(output).filter(({ type }) => type === 'image_generation_call').length
  const reported = withServed(responseUsage(usage), { tier: tierOf(service_tier), images })
  return reported !== undefined && typeof id === 'string' ? { ...reported, responseId: id } : reported
}

/** The last events of a stream. */
const LAST = new Set(['response.completed', 'response.incomplete', 'response.failed', 'response.cancelled'])

const createReader = (): StreamReader =>
  createNamedEventReader((type, event, record) => {
    if (LAST.has(type) && isObject(event.response)) return readLast(event.response, record)
    addOutput(type, event, record)
    return undefined
  })

const readLast = (response: JsonObject, { add, report, hasOutput }: StreamRecord): EventMeaning => {
  // some upstreams send no deltas
  if (!hasOutput()) add(textOf(response))
  report(usageOf(response))
  return { isComplete: true, failure: errorIn(response) }
}

/** Deltas of text, refusals, reasoning and arguments; of audio and images, only that there is something. */
const addOutput = (type: string, { delta, item }: JsonObject, { add }: StreamRecord): void => {
  if (type === 'response.audio.delta' || type.endsWith('.partial_image')) add('', true)
  else if (type.endsWith('.delta')) add(stringOf(delta))
  else if (type === 'response.output_item.added' && isObject(item)) add(stringOf(item.name))
}

/** OpenAI's Responses: https://platform.openai.com/docs/api-reference/responses */
export const responsesApi: WireApi = {
  name: 'responses',
  paths: { openai: '/responses', bedrock: '/openai/v1/responses' },
  readPrompt,
  choices: () => 1,
  upstreamBody,
  usageOf: (response) => credible(usageOf(response), () => textOf(response) !== ''),
  textOf,
  createStreamReader: createReader,
}
