import type { JsonObject } from '../../core/model/json.ts'
import { namedEvent, partsOf, type SimulatedApi, type SimulatedCall, textOf } from './simulated-api.ts'
import type { SimulatedEvent } from './simulated-events.ts'

type Status = 'in_progress' | 'completed' | 'incomplete'

const endStatus = ({ generation }: SimulatedCall): Status => (generation.isCut ? 'incomplete' : 'completed')

const itemOf = (call: SimulatedCall, status: Status, text: string): JsonObject => {
  const { requestId, generation } = call
  const { output } = generation
  if (output.kind === 'call') {
    const ids = { id: `fc_${requestId}`, call_id: `call_${requestId}` }
    return { ...ids, type: 'function_call', status, name: output.name, arguments: text }
  }
  const content = status === 'in_progress' ? [] : [textPart(text)]
  return { id: `msg_${requestId}`, type: 'message', status, role: 'assistant', content }
}

const textPart = (text: string): JsonObject => ({ type: 'output_text', text, annotations: [], logprobs: [] })

/** Without the request's own texts and tools: they can be large, and each stream would repeat them three times. */
const responseOf = (call: SimulatedCall, status: Status): JsonObject => {
  const { body, requestId, created, model, inputTokens, generation, nodeId } = call
  const isDone = status !== 'in_progress'
  return {
    id: `resp_${requestId}`,
    object: 'response',
    created_at: created,
    status,
    background: false,
    error: null,
    incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    instructions: null,
    max_output_tokens: body.max_output_tokens ?? null,
    metadata: {},
    model,
    output: isDone ? [itemOf(call, status, textOf(generation))] : [],
    parallel_tool_calls: true,
    previous_response_id: body.previous_response_id ?? null,
    reasoning: { effort: null, summary: null },
    store: body.store ?? true,
    temperature: body.temperature ?? 1,
    text: { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: [],
    top_p: body.top_p ?? 1,
    truncation: 'disabled',
    usage: isDone ? usageOf(inputTokens, generation.tokens) : null,
    user: null,
    ...(isDone && { node_id: nodeId }),
  }
}

const usageOf = (inputTokens: number, outputTokens: number): JsonObject => ({
  input_tokens: inputTokens,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: outputTokens,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: inputTokens + outputTokens,
})

/** An event before its number is known. */
type Step = readonly [event: JsonObject & { readonly type: string }, tokens?: number]

function* events(call: SimulatedCall): Generator<SimulatedEvent> {
  let number = 0
  for (const [{ type, ...event }, tokens] of stepsOf(call)) {
    yield namedEvent({ type, sequence_number: number++, ...event }, tokens)
  }
}

function* stepsOf(call: SimulatedCall): Generator<Step> {
  const status = endStatus(call)
  const begun = responseOf(call, 'in_progress')
  yield [{ type: 'response.created', response: begun }]
  yield [{ type: 'response.in_progress', response: begun }]
  yield [{ type: 'response.output_item.added', output_index: 0, item: itemOf(call, 'in_progress', '') }]
  yield* call.generation.output.kind === 'call' ? argumentSteps(call) : textSteps(call)
  const item = itemOf(call, status, textOf(call.generation))
  yield [{ type: 'response.output_item.done', output_index: 0, item }]
  yield [{ type: `response.${status}`, response: responseOf(call, status) }]
}

function* textSteps({ generation, requestId }: SimulatedCall): Generator<Step> {
  const at = { item_id: `msg_${requestId}`, output_index: 0, content_index: 0 }
  const text = textOf(generation)
  yield [{ type: 'response.content_part.added', ...at, part: textPart('') }]
  for (const { text: delta, tokens } of partsOf(generation)) {
    yield [{ type: 'response.output_text.delta', ...at, delta, logprobs: [] }, tokens]
  }
  yield [{ type: 'response.output_text.done', ...at, text, logprobs: [] }]
  yield [{ type: 'response.content_part.done', ...at, part: textPart(text) }]
}

function* argumentSteps({ generation, requestId }: SimulatedCall): Generator<Step> {
  const at = { item_id: `fc_${requestId}`, output_index: 0 }
  for (const { text: delta, tokens } of partsOf(generation)) {
    yield [{ type: 'response.function_call_arguments.delta', ...at, delta }, tokens]
  }
  const name = generation.output.kind === 'call' ? generation.output.name : ''
  yield [{ type: 'response.function_call_arguments.done', ...at, name, arguments: textOf(generation) }]
}

const one = () => 1

export const simulatedResponses: SimulatedApi = {
  choices: one,
  charged: one,
  whole: (call) => responseOf(call, endStatus(call)),
  events,
}
