import type { JsonObject } from '../../core/model/json.ts'
import { asksForUsage } from '../apis/choice-stream.ts'
import { choicesOf } from '../apis/output-bounds.ts'
import type { Generation } from './generation.ts'
import { DONE, dataEvent, partsOf, type SimulatedApi, type SimulatedCall, textOf } from './simulated-api.ts'
import type { SimulatedEvent } from './simulated-events.ts'

const choices = (body: JsonObject): number => choicesOf(body, ['n'])

/** OpenAI's usage of chat and completions. */
export const completionUsage = (inputTokens: number, outputTokens: number): JsonObject => ({
  prompt_tokens: inputTokens,
  completion_tokens: outputTokens,
  total_tokens: inputTokens + outputTokens,
})

const finishReason = ({ output, isCut }: Generation): string => {
  if (output.kind === 'call') return 'tool_calls'
  return isCut ? 'length' : 'stop'
}

const callIn = ({ requestId, generation }: SimulatedCall, index: number, text: string): JsonObject => ({
  id: `call_${requestId}_${index}`,
  type: 'function',
  function: { name: generation.output.kind === 'call' ? generation.output.name : '', arguments: text },
})

const messageOf = (call: SimulatedCall, index: number): JsonObject => {
  const text = textOf(call.generation, choices(call.body))
  return call.generation.output.kind === 'call'
    ? { role: 'assistant', content: null, refusal: null, tool_calls: [callIn(call, index, text)] }
    : { role: 'assistant', content: text, refusal: null }
}

const whole = (call: SimulatedCall): JsonObject => {
  const { body, model, requestId, inputTokens, created, nodeId, generation } = call
  return {
    id: `chatcmpl-${requestId}`,
    object: 'chat.completion',
    created,
    model,
    choices: Array.from({ length: choices(body) }, (_, index) => ({
      index,
      message: messageOf(call, index),
      logprobs: null,
      finish_reason: finishReason(generation),
    })),
    usage: completionUsage(inputTokens, generation.tokens * choices(body)),
    node_id: nodeId,
  }
}

function* events(call: SimulatedCall): Generator<SimulatedEvent> {
  const { body, model, requestId, inputTokens, created, generation } = call
  const includesUsage = asksForUsage(body)
  const chunk = (list: readonly JsonObject[], tokens = 0, usage: JsonObject | null = null) =>
    dataEvent(
      {
        id: `chatcmpl-${requestId}`,
        object: 'chat.completion.chunk',
        created,
        model,
        choices: list,
        ...(includesUsage && { usage }),
      },
      tokens,
    )
  for (let index = 0; index < choices(body); index++) {
    for (const { delta, tokens, finish } of deltasOf(call, index)) {
      yield chunk([{ index, delta, logprobs: null, finish_reason: finish }], tokens)
    }
  }
  if (includesUsage) yield chunk([], 0, completionUsage(inputTokens, generation.tokens * choices(body)))
  yield DONE
}

interface Delta {
  readonly delta: JsonObject
  readonly tokens: number
  readonly finish: string | null
}

function* deltasOf(call: SimulatedCall, index: number): Generator<Delta> {
  const { generation, body } = call
  const isCall = generation.output.kind === 'call'
  const first: JsonObject = isCall
    ? { content: null, tool_calls: [{ index: 0, ...callIn(call, index, '') }] }
    : { content: '' }
  yield { delta: { role: 'assistant', ...first }, tokens: 0, finish: null }
  for (const { text, tokens } of partsOf(generation, choices(body))) {
    const delta = isCall ? { tool_calls: [{ index: 0, function: { arguments: text } }] } : { content: text }
    yield { delta, tokens, finish: null }
  }
  yield { delta: {}, tokens: 0, finish: finishReason(generation) }
}

export const simulatedChat: SimulatedApi = { choices, charged: choices, whole, events }
