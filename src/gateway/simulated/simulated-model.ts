import { SECOND_NS } from '../../core/model/time.ts'
import {
  CallAborted,
  type ModelApi,
  type ModelCall,
  type ModelReply,
  type ModelUsage,
  type WholeModelReply,
} from '../../core/ports/model-backend.ts'
import type { Clock } from '../../core/ports/platform.ts'
import { type Eventual, whenReady } from '../../core/ports/when-ready.ts'
import { DEFAULT_TOKENS, type Generation, generate } from './generation.ts'
import type { SimulatedApi, SimulatedCall } from './simulated-api.ts'
import { simulatedChat } from './simulated-chat.ts'
import { simulatedCompletions } from './simulated-completions.ts'
import { embeddingsJson, MAX_NUMBERS, numbersOf } from './simulated-embeddings.ts'
import { type Delay, simulatedEvents } from './simulated-events.ts'
import { simulatedMessages } from './simulated-messages.ts'
import { simulatedResponses } from './simulated-responses.ts'

export interface SimulatedModelOptions {
  readonly clock: Clock
  readonly delay: Delay
  /** Of JSON, whose tokens the usage states. */
  readonly countText: (text: string) => Eventual<number>
  /** Delay of the response, in ms. */
  readonly latencyMs: number
  /** The pace of streams; null: as fast as the client reads. */
  readonly tokensPerSecond: number | null
  /** `node_id` of whole responses, which identifies the node; null: it has no name. */
  readonly nodeId: string | null
}

/** Answers without an upstream. */
export interface SimulatedModel {
  /** What it generates per choice of a request that names no maximum. */
  readonly defaultOutputTokens: number
  /** A promise rejects only with `CallAborted`. */
  call(call: ModelCall): Eventual<ModelReply>
}

/** The APIs that generate output. */
const APIS: Readonly<Partial<Record<ModelApi, SimulatedApi>>> = {
  chat: simulatedChat,
  completions: simulatedCompletions,
  responses: simulatedResponses,
  messages: simulatedMessages,
}

/** The product of prompts and `n`, which has no other bound. */
const MAX_CHOICES = 2048

/** A model whose responses have exactly the requested number of tokens, as stated in `usage`. */
export const createSimulatedModel = (options: SimulatedModelOptions): SimulatedModel => ({
  defaultOutputTokens: DEFAULT_TOKENS,
  call: (call) => whenReady(wait(call, options), () => answer(call, options)),
})

/** Reading `call.signal` creates it. */
const wait = (call: ModelCall, { latencyMs, delay }: SimulatedModelOptions): Eventual<void> => {
  if (latencyMs === 0) return undefined
  return delay(latencyMs, call.signal).catch(() => {
    throw new CallAborted({ of: 'estimate' })
  })
}

const answer = (call: ModelCall, options: SimulatedModelOptions): Eventual<ModelReply> => {
  const api = APIS[call.api]
  if (api === undefined) return call.api === 'embeddings' ? embeddings(call) : counted(call)
  if (api.choices(call.body) > MAX_CHOICES)
    return rejected(`The simulated model generates at most ${MAX_CHOICES} choices of all prompts together`)
  return whenReady(generate(call, options.countText), (generation) => written(call, api, generation, options))
}

/** What was generated, as the API writes it. */
const written = (
  call: ModelCall,
  api: SimulatedApi,
  generation: Generation,
  options: SimulatedModelOptions,
): ModelReply => {
  const { body, model, requestId, inputTokens } = call
  const simulated: SimulatedCall = {
    body,
    model: model.id,
    requestId,
    inputTokens,
    created: Number(options.clock.now() / SECOND_NS),
    nodeId: options.nodeId,
    generation,
  }
  const input = call.api === 'responses' ? { inputTokens, responseId: `resp_${requestId}` } : { inputTokens }
  if (body.stream === true) {
    const events = simulatedEvents(api.events(simulated), input, options)
    return { kind: 'stream', status: 200, headers: {}, events }
  }
  const outputTokens = simulated.generation.tokens * api.charged(body)
  return json(JSON.stringify(api.whole(simulated)), { ...input, outputTokens })
}

const embeddings = async ({ body, model, inputTokens }: ModelCall): Promise<ModelReply> => {
  const request = { body, model: model.id, inputTokens }
  if (numbersOf(request) > MAX_NUMBERS)
    return rejected(
      `The simulated model returns at most ${MAX_NUMBERS} numbers: send fewer texts or dimensions`,
    )
  return json(await embeddingsJson(request), { inputTokens, outputTokens: 0 })
}

const counted = ({ inputTokens }: ModelCall): ModelReply => ({
  ...json(JSON.stringify({ input_tokens: inputTokens })),
  charge: { of: 'request' },
})

const json = (body: string, usage?: ModelUsage): WholeModelReply => ({
  kind: 'whole',
  status: 200,
  headers: { 'content-type': 'application/json' },
  body,
  charge: usage === undefined ? { of: 'request' } : { of: 'usage', usage },
})

const rejected = (message: string): ModelReply => ({
  kind: 'failed',
  problem: { status: 400, message, code: null, type: null, param: null },
  headers: {},
  charge: { of: 'request' },
})
