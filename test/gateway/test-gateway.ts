import { onTestFinished } from 'vitest'
import type { Model } from '../../src/core/model/model.ts'
import { DEFAULT_TIMEOUTS, type Upstream } from '../../src/core/model/upstream.ts'
import type { ModelCall, ModelReply } from '../../src/core/ports/model-backend.ts'
import type { Logger } from '../../src/core/ports/platform.ts'
import { noUpstreamMetrics } from '../../src/core/ports/upstreams.ts'
import { createGateway, type Gateway, type GatewayParts } from '../../src/gateway/gateway.ts'
import { lruCaches } from '../../src/platform/runtime.ts'
import { createTestClock, type TestClock } from '../core/test-clock.ts'
import { aModel } from '../store/store-fixtures.ts'

export const anUpstream = (fields: Partial<Upstream> = {}): Upstream => ({
  name: 'default',
  kind: 'openai',
  baseUrl: 'http://127.0.0.1:9/v1',
  region: null,
  signingService: null,
  secret: null,
  headers: {},
  timeouts: DEFAULT_TIMEOUTS,
  adaptive: null,
  createdAt: 1n,
  version: 1n,
  ...fields,
})

export const aCall = (fields: Partial<ModelCall> = {}): ModelCall => ({
  api: 'chat',
  model: aModel({ id: 'gpt-4' }),
  body: { model: 'gpt-4', messages: [{ role: 'user', content: 'Hi' }] },
  entityId: 'key-alice',
  inputTokens: 9,
  outputBound: 100,
  requestId: 'req_1',
  headers: {},
  signal: new AbortController().signal,
  ...fields,
})

/** A model with these upstreams: names, or a name and the model's name there. */
export const aModelAt = (...upstreams: readonly (string | readonly [string, string])[]): Model =>
  aModel({
    id: 'gpt-4',
    upstreams: upstreams.map((each) =>
      typeof each === 'string' ? { upstream: each, model: null } : { upstream: each[0], model: each[1] },
    ),
  })

export interface LogLine {
  readonly level: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

export interface TestGateway {
  readonly gateway: Gateway
  readonly log: readonly LogLine[]
  readonly clock: TestClock
  /** Replaces the configuration. */
  configure(upstreams: readonly Upstream[]): void
}

/** A gateway to these upstreams. A text has as many tokens as words. */
export const createTestGateway = (
  configured: readonly Upstream[],
  parts: Partial<GatewayParts> = {},
): TestGateway => {
  let upstreams = configured
  const log: LogLine[] = []
  const at =
    (level: string): Logger['warn'] =>
    (message, fields = {}) =>
      void log.push({ level, message, fields })
  const clock = createTestClock()
  const gateway = createGateway({
    upstreams: {
      upstream: async (name) => upstreams.find((each) => each.name === name),
      hasUpstreams: async () => upstreams.length > 0,
    },
    secrets: { read: async (reference) => `value of ${reference}` },
    signer: { sign: async () => ({ authorization: 'signed' }) },
    region: null,
    prompts: {
      estimate: async () => ({
        inputTokens: 9,
        namedOutputTokens: null,
        choices: 1,
        defaultOutputTokens: null,
      }),
    },
    simulated: { defaultOutputTokens: 16, call: async () => SIMULATED_REPLY },
    countText: async (text) => text.split(' ').length,
    heartbeatMs: 15_000,
    clock,
    caches: lruCaches,
    metrics: noUpstreamMetrics,
    logger: { isDebugOn: true, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    ...parts,
  })
  onTestFinished(() => gateway.close())
  return {
    gateway,
    log,
    clock,
    configure(next) {
      upstreams = next
    },
  }
}

const SIMULATED_REPLY: ModelReply = {
  kind: 'whole',
  status: 200,
  headers: {},
  body: 'simulated',
  charge: { of: 'nothing' },
}

/** A reply as a test reads it. */
export const shown = (reply: ModelReply) => {
  if (reply.kind === 'stream') throw new Error('the reply is a stream')
  const { headers, charge } = reply
  if (reply.kind === 'failed') return { ...reply.problem, headers, charge }
  return { status: reply.status, text: textOf(reply.body), headers, charge }
}

const textOf = (body: Uint8Array | string): string =>
  typeof body === 'string' ? body : Buffer.from(body).toString()

/** Reads a stream to its end. */
export const streamed = async (reply: ModelReply) => {
  if (reply.kind !== 'stream') throw new Error(`it is no stream: ${JSON.stringify(shown(reply))}`)
  let text = ''
  for (let part = await reply.events.next(); part !== undefined; part = await reply.events.next()) {
    text += textOf(part)
  }
  return { status: reply.status, text, headers: reply.headers, charge: await reply.events.charge() }
}
