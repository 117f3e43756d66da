import type { ModelCharge, ModelEvents } from '../../../../src/core/ports/model-backend.ts'
import { chatApi } from '../../../../src/gateway/apis/chat.ts'
import {
  beginStream,
  type StreamEnd,
  type StreamStart,
  type UpstreamStream,
} from '../../../../src/gateway/stream/begin-stream.ts'
import type { UpstreamFailure } from '../../../../src/gateway/upstream/exchange.ts'
import { createFakeUpstream } from './fake-upstream.ts'
import { createManualTimer } from './manual-timer.ts'

const INPUT_TOKENS = 7

export const problemOf = ({ failure }: UpstreamFailure) => ({
  status: 502,
  message: `The upstream failed: ${failure}`,
  code: 'upstream_unavailable',
  type: null,
  param: null,
})

/** A token per character. */
export const countText = async (text: string) => text.length

/** A stream of a chat whose upstream and time are those of the test. */
export const startStream = (
  body: object = {},
  changes: Partial<UpstreamStream> = {},
  heartbeatMs = 15_000,
) => {
  const upstream = createFakeUpstream()
  const timer = createManualTimer()
  const ends: StreamEnd[] = []
  const start = beginStream(
    {
      response: upstream,
      reader: chatApi.createStreamReader({ stream: true, ...body }),
      api: 'chat',
      requestId: 'req-1',
      inputTokens: INPUT_TOKENS,
      problemOf,
      onEnd: (end) => ends.push(end),
      ...changes,
    },
    { countText, heartbeatMs, createTimer: timer.createTimer },
  )
  return { upstream, timer, start, ends }
}

export const begun = async (start: Promise<StreamStart>): Promise<ModelEvents> => {
  const result = await start
  if (result.kind === 'failed') throw new Error(`the stream has failed: ${result.problem.message}`)
  return result.events
}

/** Reads to the end. */
export const readAll = async (events: ModelEvents): Promise<string> => {
  const parts: Buffer[] = []
  for (;;) {
    const part = await events.next()
    if (part === undefined) return Buffer.concat(parts).toString()
    parts.push(Buffer.from(part))
  }
}

interface Received {
  readonly text: string
  readonly charge: ModelCharge
}

export const receive = async (start: Promise<StreamStart>): Promise<Received> => {
  const events = await begun(start)
  return { text: await readAll(events), charge: await events.charge() }
}

export const chunk = (fields: object) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', ...fields })}\n\n`

export const content = (text: string, fields: object = {}) =>
  chunk({ choices: [{ index: 0, delta: { content: text }, finish_reason: null }], ...fields })

export const END = chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })

export const DONE = 'data: [DONE]\n\n'

export const usage = (prompt: number, completion: number) => ({
  usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
})

export const counted = (outputTokens: number): ModelCharge => ({
  of: 'usage',
  usage: { inputTokens: INPUT_TOKENS, outputTokens },
})

/** The stream of these chunks, to its end. */
export const forwarded = async (chunks: readonly string[], body: object = {}) => {
  const { upstream, start, ends } = startStream(body)
  for (const each of chunks) upstream.send(each)
  upstream.end()
  return { ...(await receive(start)), ends, upstream }
}

export const errorEvent = (failure: string) =>
  `data: ${JSON.stringify({
    error: {
      message: `The upstream failed: ${failure}`,
      type: 'server_error',
      param: null,
      code: 'upstream_unavailable',
    },
    message: `The upstream failed: ${failure}`,
  })}\n\n`
