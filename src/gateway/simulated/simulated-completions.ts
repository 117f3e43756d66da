import type { JsonObject } from '../../core/model/json.ts'
import { asksForUsage } from '../apis/choice-stream.ts'
import { completionsApi } from '../apis/completions.ts'
import { choicesOf } from '../apis/output-bounds.ts'
import { textsIn } from '../prompt/content.ts'
import { DONE, dataEvent, partsOf, type SimulatedApi, type SimulatedCall, textOf } from './simulated-api.ts'
import { completionUsage } from './simulated-chat.ts'
import type { SimulatedEvent } from './simulated-events.ts'

const choices = (body: JsonObject): number => textsIn(body.prompt) * choicesOf(body, ['n'])

const head = ({ requestId, created, model }: SimulatedCall): JsonObject => ({
  id: `cmpl-${requestId}`,
  object: 'text_completion',
  created,
  model,
})

const usageOf = ({ inputTokens, generation, body }: SimulatedCall): JsonObject =>
  completionUsage(inputTokens, generation.tokens * completionsApi.choices(body))

const finishReason = ({ generation }: SimulatedCall): string => (generation.isCut ? 'length' : 'stop')

const whole = (call: SimulatedCall): JsonObject => ({
  ...head(call),
  choices: Array.from({ length: choices(call.body) }, (_, index) => ({
    text: textOf(call.generation, choices(call.body)),
    index,
    logprobs: null,
    finish_reason: finishReason(call),
  })),
  usage: usageOf(call),
  node_id: call.nodeId,
})

function* events(call: SimulatedCall): Generator<SimulatedEvent> {
  const { body, generation } = call
  const includesUsage = asksForUsage(body)
  const chunk = (list: readonly JsonObject[], tokens = 0, usage: JsonObject | null = null) =>
    dataEvent({ ...head(call), choices: list, ...(includesUsage && { usage }) }, tokens)
  const shown = choices(body)
  // tokens of responses that are not the best are charged, and not shown
  const hidden = completionsApi.choices(body) / shown
  for (let index = 0; index < shown; index++) {
    for (const { text, tokens } of partsOf(generation, shown)) {
      yield chunk([{ text, index, logprobs: null, finish_reason: null }], tokens * hidden)
    }
    yield chunk([{ text: '', index, logprobs: null, finish_reason: finishReason(call) }])
  }
  if (includesUsage) yield chunk([], 0, usageOf(call))
  yield DONE
}

export const simulatedCompletions: SimulatedApi = { choices, charged: completionsApi.choices, whole, events }
