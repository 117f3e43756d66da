import { onTestFinished } from 'vitest'
import type { JsonObject } from '../../../src/core/model/json.ts'
import type { ModelApi, ModelCall, ModelEvents } from '../../../src/core/ports/model-backend.ts'
import { loadO200k } from '../../../src/gateway/prompt/byte-pairs.ts'
import {
  createSimulatedModel,
  type SimulatedModelOptions,
} from '../../../src/gateway/simulated/simulated-model.ts'
import { aCall } from '../test-gateway.ts'

export const countTokens = await loadO200k()

export const aSimulatedModel = (options: Partial<SimulatedModelOptions> = {}) =>
  createSimulatedModel({
    clock: { now: () => 1_694_268_190_999_000_000n, monotonic: () => 0n },
    delay: async () => {},
    countText: async (text) => countTokens(text),
    latencyMs: 0,
    tokensPerSecond: null,
    nodeId: 'node-1',
    ...options,
  })

const model = aSimulatedModel()

const BODIES: Readonly<Record<ModelApi, JsonObject>> = {
  chat: { messages: [{ role: 'user', content: 'Hi' }] },
  completions: { prompt: 'Say' },
  embeddings: { input: 'text' },
  responses: { input: 'Hi' },
  messages: { messages: [{ role: 'user', content: 'Hi' }] },
  count_tokens: { messages: [{ role: 'user', content: 'Hi' }] },
}

/** A call without a bound; bodies are written as they arrive: as JSON. */
export const callOf = (api: ModelApi, body: object, fields: Partial<ModelCall> = {}): ModelCall =>
  aCall({ api, outputBound: null, body: JSON.parse(JSON.stringify({ ...BODIES[api], ...body })), ...fields })

/** The body of a whole response, and its charge. */
export const wholeOf = async (call: ModelCall, of = model) => {
  const reply = await of.call(call)
  if (reply.kind !== 'whole') throw new Error(`the response is ${reply.kind}`)
  const body: JsonObject = JSON.parse(String(reply.body))
  return { status: reply.status, headers: reply.headers, body, charge: reply.charge }
}

export const eventsOf = async (call: ModelCall, of = model): Promise<ModelEvents> => {
  const reply = await of.call({ ...call, body: { ...call.body, stream: true } })
  if (reply.kind !== 'stream') throw new Error(`the response is ${reply.kind}`)
  onTestFinished(() => reply.events.cancel())
  return reply.events
}

/** All events of a stream, by their names and data, and its charge. */
export const streamOf = async (call: ModelCall, of = model) => {
  const events = await eventsOf(call, of)
  const texts: string[] = []
  while (!events.hasEnded()) texts.push(String(await events.next()))
  return { texts, events: texts.map(parsed), charge: await events.charge() }
}

/** Of one event: a name if it has one, and the data in one line. */
const parsed = (text: string) => {
  const [, name, data] = /^(?:event: (.*)\n)?data: (.*)\n\n$/.exec(text) ?? []
  if (data === undefined) throw new Error(`not one event: ${text}`)
  return { name, data }
}

export const dataOf = ({ data }: { readonly data: string }): JsonObject => JSON.parse(data)
