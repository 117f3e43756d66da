import type { JsonObject } from '../../core/model/json.ts'
import { parseObject } from '../json-values.ts'
import type { Generation } from './generation.ts'
import { namedEvent, partsOf, type SimulatedApi, type SimulatedCall, textOf } from './simulated-api.ts'
import type { SimulatedEvent } from './simulated-events.ts'

const stopReason = ({ output, isCut }: Generation): string => {
  if (output.kind === 'call') return 'tool_use'
  return isCut ? 'max_tokens' : 'end_turn'
}

const messageOf = ({ requestId, model }: SimulatedCall, fields: JsonObject): JsonObject => ({
  id: `msg_${requestId}`,
  type: 'message',
  role: 'assistant',
  model,
  stop_sequence: null,
  ...fields,
})

const usageOf = (inputTokens: number, outputTokens: number): JsonObject => ({
  input_tokens: inputTokens,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: outputTokens,
})

/** The only block; without its input or text, as a stream begins it. */
const blockOf = ({ generation, requestId }: SimulatedCall): JsonObject =>
  generation.output.kind === 'call'
    ? { type: 'tool_use', id: `toolu_${requestId}`, name: generation.output.name, input: {} }
    : { type: 'text', text: '' }

const whole = (call: SimulatedCall): JsonObject => {
  const { generation, inputTokens, nodeId } = call
  const text = textOf(generation)
  const filled = generation.output.kind === 'call' ? { input: parseObject(text) ?? {} } : { text }
  return messageOf(call, {
    content: [{ ...blockOf(call), ...filled }],
    stop_reason: stopReason(generation),
    usage: usageOf(inputTokens, generation.tokens),
    node_id: nodeId,
  })
}

function* events(call: SimulatedCall): Generator<SimulatedEvent> {
  const { generation, inputTokens } = call
  const begun = { content: [], stop_reason: null, usage: usageOf(inputTokens, 1) }
  yield namedEvent({ type: 'message_start', message: messageOf(call, begun) })
  yield namedEvent({ type: 'content_block_start', index: 0, content_block: blockOf(call) })
  yield namedEvent({ type: 'ping' })
  for (const { text, tokens } of partsOf(generation)) {
    const delta =
      generation.output.kind === 'call'
        ? { type: 'input_json_delta', partial_json: text }
        : { type: 'text_delta', text }
    yield namedEvent({ type: 'content_block_delta', index: 0, delta }, tokens)
  }
  yield namedEvent({ type: 'content_block_stop', index: 0 })
  yield namedEvent({
    type: 'message_delta',
    delta: { stop_reason: stopReason(generation), stop_sequence: null },
    usage: usageOf(inputTokens, generation.tokens),
  })
  yield namedEvent({ type: 'message_stop' })
}

const one = () => 1

export const simulatedMessages: SimulatedApi = { choices: one, charged: one, whole, events }
