import { expect, test } from 'vitest'
import type { ModelCharge, ModelEvents } from '../../../src/core/ports/model-backend.ts'
import { chatApi } from '../../../src/gateway/apis/chat.ts'
import {
  beginStream,
  type StreamEnd,
  type StreamStart,
  type UpstreamStream,
} from '../../../src/gateway/stream/begin-stream.ts'
import type { UpstreamFailure } from '../../../src/gateway/upstream/exchange.ts'
import { createFakeUpstream } from './support/fake-upstream.ts'
import { createManualTimer, turn } from './support/manual-timer.ts'

const INPUT_TOKENS = 7

const problemOf = ({ failure }: UpstreamFailure) => ({
  status: 502,
  message: `The upstream failed: ${failure}`,
  code: 'upstream_unavailable',
  type: null,
  param: null,
})

/** A token per character. */
const countText = async (text: string) => text.length

/** A stream of a chat whose upstream and time are those of the test. */
const startStream = (body: object = {}, changes: Partial<UpstreamStream> = {}) => {
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
    { countText, heartbeatMs: 15_000, createTimer: timer.createTimer },
  )
  return { upstream, timer, start, ends }
}

const begun = async (start: Promise<StreamStart>): Promise<ModelEvents> => {
  const result = await start
  if (result.kind === 'failed') throw new Error(`the stream has failed: ${result.problem.message}`)
  return result.events
}

/** Reads to the end. */
const readAll = async (events: ModelEvents): Promise<string> => {
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

const receive = async (start: Promise<StreamStart>): Promise<Received> => {
  const events = await begun(start)
  return { text: await readAll(events), charge: await events.charge() }
}

const chunk = (fields: object) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', ...fields })}\n\n`

const content = (text: string, fields: object = {}) =>
  chunk({ choices: [{ index: 0, delta: { content: text }, finish_reason: null }], ...fields })

const END = chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })

const DONE = 'data: [DONE]\n\n'

const usage = (prompt: number, completion: number) => ({
  usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
})

const counted = (outputTokens: number): ModelCharge => ({
  of: 'usage',
  usage: { inputTokens: INPUT_TOKENS, outputTokens },
})

test('a whole stream passes byte for byte', async () => {
  const { upstream, start, ends } = startStream()
  const stream = [content('Hello'), END, DONE].join('')
  upstream.send(stream)
  upstream.end()
  expect(await receive(start)).toEqual({ text: stream, charge: counted(5) })
  expect(ends).toEqual([{ kind: 'complete' }])
})

/** The stream of these chunks, to its end. */
const forwarded = async (chunks: readonly string[], body: object = {}) => {
  const { upstream, start, ends } = startStream(body)
  for (const each of chunks) upstream.send(each)
  upstream.end()
  return { ...(await receive(start)), ends, upstream }
}

const errorEvent = (failure: string) =>
  `data: ${JSON.stringify({
    error: {
      message: `The upstream failed: ${failure}`,
      type: 'server_error',
      param: null,
      code: 'upstream_unavailable',
    },
    message: `The upstream failed: ${failure}`,
  })}\n\n`

test.each([
  ['an empty line of data', 'data:\n\n'],
  ['blanks', 'data:  \n\n'],
  ['a name only', 'event: ping\n\n'],
  ['a time to reconnect only', 'retry: 1000\n\n'],
])('an event without data is dropped: %s', async (_, empty) => {
  const { text } = await forwarded([content('Hello '), empty, content('world'), END, DONE])
  expect(text).toBe(content('Hello ') + content('world') + END + DONE)
})

test.each([
  ['before the data', 'data:  [DONE]\n\n'],
  ['after the data', 'data: [DONE] \n\n'],
  ['no blank', 'data:[DONE]\n\n'],
])('[DONE] with unusual blanks is one [DONE]: %s', async (_, done) => {
  const { text } = await forwarded([content('Hello'), END, done])
  expect(text.match(/\[DONE\]/g)).toHaveLength(1)
  expect(text.startsWith(content('Hello') + END)).toBe(true)
})

test('[DONE] is sent once, and nothing after it', async () => {
  const { text } = await forwarded([content('Hello') + END + DONE + DONE + content('more')])
  expect(text).toBe(content('Hello') + END + DONE)
})

test.each([
  ['text', [content('The answer is 4')], 15],
  [
    'half a tool call',
    [
      chunk({
        choices: [
          { index: 0, delta: { tool_calls: [{ index: 0, function: { name: 'f', arguments: '{"a' } }] } },
        ],
      }),
    ],
    4,
  ],
])(
  'a stream that ends without a finish reason and [DONE] ends with an error: %s',
  async (_, chunks, tokens) => {
    const { text, charge, ends } = await forwarded(chunks)
    expect(text).toBe(chunks.join('') + errorEvent('reset') + DONE)
    expect(charge).toEqual(counted(tokens))
    expect(ends).toMatchObject([{ kind: 'failed', failure: { failure: 'reset' } }])
  },
)

test.each([
  ['a finish reason without [DONE]', [content('Hello'), END], DONE],
  ['[DONE] without a finish reason', [content('Hello'), DONE], ''],
])('%s is complete', async (_, chunks, added) => {
  const { text, charge, ends } = await forwarded(chunks)
  expect(text).toBe(chunks.join('') + added)
  expect(charge).toEqual(counted(5))
  expect(ends).toEqual([{ kind: 'complete' }])
})

test('a stream that ends before an event fails, so that another upstream can be tried', async () => {
  const { upstream, start, ends } = startStream()
  upstream.end()
  expect(await start).toMatchObject({
    kind: 'failed',
    problem: { message: 'The upstream failed: reset' },
    failure: { failure: 'reset' },
    charge: { of: 'estimate' },
  })
  expect(ends).toEqual([])
})

test('an error as the first event fails without a charge, with its own status', async () => {
  const { upstream, start } = startStream()
  upstream.send('data: {"error":{"message":"no capacity","code":503}}\n\ndata: [DONE]\n\n')
  expect(await start).toMatchObject({
    kind: 'failed',
    problem: { status: 503, message: 'no capacity' },
    failure: undefined,
    charge: { of: 'nothing' },
  })
  expect(upstream.isCancelled()).toBe(true)
})

test('an error after the first event passes as it is, and then [DONE]', async () => {
  const error = 'data: {"error":{"message":"no capacity","code":503}}\n\n'
  const { text, charge, ends } = await forwarded([content('Hello'), error])
  expect(text).toBe(content('Hello') + error + DONE)
  expect(charge).toEqual(counted(5))
  expect(ends).toMatchObject([{ kind: 'failed', problem: { status: 503 }, failure: undefined }])
})

test('an error before visible output is not charged', async () => {
  const { charge } = await forwarded([
    ': processing\n\n',
    content(''),
    'data: {"error":{"message":"no"}}\n\n',
  ])
  expect(charge).toEqual({ of: 'nothing' })
})

test.each(['idle', 'total', 'reset'] as const)(
  'a failure in mid-stream keeps its cause: %s',
  async (cause) => {
    const { upstream, start, ends } = startStream()
    upstream.send(content('Hello'))
    upstream.fail(cause)
    const { text, charge } = await receive(start)
    expect(text).toBe(content('Hello') + errorEvent(cause) + DONE)
    expect(charge).toEqual(counted(5))
    expect(ends).toMatchObject([{ kind: 'failed', failure: { failure: cause } }])
  },
)

test.each(['first_byte', 'reset'] as const)(
  'a failure before the first event can be answered: %s',
  async (cause) => {
    const { upstream, start } = startStream()
    upstream.fail(cause)
    expect(await start).toMatchObject({
      kind: 'failed',
      failure: { failure: cause },
      charge: { of: 'estimate' },
    })
  },
)

test('a reset after the finish reason completes the stream', async () => {
  const { upstream, start, ends } = startStream()
  upstream.send(content('Hello') + END)
  upstream.fail('reset')
  expect(await receive(start)).toEqual({ text: content('Hello') + END + DONE, charge: counted(5) })
  expect(ends).toEqual([{ kind: 'complete' }])
})

test('silence after the finish reason completes the stream in 2 s', async () => {
  const { upstream, timer, start } = startStream()
  upstream.send(content('Hello') + END)
  const received = receive(start)
  await turn()
  await timer.pass(1_999)
  expect(upstream.isCancelled()).toBe(false)
  await timer.pass(1)
  expect(await received).toEqual({ text: content('Hello') + END + DONE, charge: counted(5) })
  expect(upstream.isCancelled()).toBe(true)
})

test('comments after the finish reason do not prolong the stream', async () => {
  const { upstream, timer, start } = startStream()
  upstream.send(content('Hello') + END)
  const received = receive(start)
  await turn()
  for (let second = 0; second < 3; second++) {
    await timer.pass(900)
    upstream.send(': ping\n\n')
    await turn()
  }
  expect((await received).text).toBe(`${content('Hello')}${END}: ping\n\n: ping\n\n${DONE}`)
})

test('usage within 2 s of the finish reason is charged', async () => {
  const { upstream, timer, start } = startStream()
  upstream.send(content('Hello') + END)
  const received = receive(start)
  await turn()
  await timer.pass(1_900)
  upstream.send(chunk({ choices: [], ...usage(70, 11) }))
  await turn()
  await timer.pass(2_000)
  expect(await received).toEqual({
    text: content('Hello') + END + DONE,
    charge: { of: 'usage', usage: { inputTokens: 70, outputTokens: 11 } },
  })
})

test('a client that is slow after the finish reason does not lose the usage', async () => {
  const { upstream, timer, start } = startStream()
  upstream.send(content('Hello') + END)
  const events = await begun(start)
  await events.next()
  upstream.send(chunk({ choices: [], ...usage(70, 11) }))
  await timer.pass(60_000)
  upstream.end()
  expect(await readAll(events)).toBe(DONE)
  expect(await events.charge()).toMatchObject({ usage: { inputTokens: 70 } })
})

test('comments pass and begin the stream', async () => {
  const { upstream, start } = startStream()
  upstream.send(': OPENROUTER PROCESSING\n\n')
  const events = await begun(start)
  expect(String(await events.next())).toBe(': OPENROUTER PROCESSING\n\n')
})

test('a stream without an event begins 15 s after its headers, with a comment', async () => {
  const { timer, start } = startStream()
  await timer.pass(14_999)
  const late = await Promise.race([start, turn()])
  expect(late).toBeUndefined()
  await timer.pass(1)
  const events = await begun(start)
  expect(events.hasEnded()).toBe(false)
  expect(await events.next()).toBe(': heartbeat\n\n')
})

test('a comment is sent after each 15 s without a byte to the client', async () => {
  const { upstream, timer, start } = startStream()
  upstream.send(content('Hello'))
  const events = await begun(start)
  await events.next()
  const first = events.next()
  await timer.pass(14_000)
  // no byte of it passes
  upstream.send('data:\n\ndata: {"choi')
  await turn()
  await timer.pass(1_000)
  expect(await first).toBe(': heartbeat\n\n')
  const second = events.next()
  await timer.pass(15_000)
  expect(await second).toBe(': heartbeat\n\n')
  const third = events.next()
  await timer.pass(14_999)
  upstream.send('ces":[]}\n\n')
  expect(String(await third)).toBe('data: {"choices":[]}\n\n')
})

test('no comment is sent within an event', async () => {
  const { upstream, timer, start } = startStream()
  const large = `data: ${'x'.repeat(2 * 1024 * 1024)}`
  upstream.send(large)
  const events = await begun(start)
  expect(String(await events.next())).toBe(large)
  const next = events.next()
  await timer.pass(60_000)
  upstream.send('\n\n')
  expect(String(await next)).toBe('\n\n')
  const silent = events.next()
  await timer.pass(15_000)
  expect(await silent).toBe(': heartbeat\n\n')
})

test('comments do not pile up while the client is slow', async () => {
  const { upstream, timer, start } = startStream()
  upstream.send(content('Hello'))
  const events = await begun(start)
  await timer.pass(600_000)
  expect(String(await events.next())).toBe(content('Hello'))
  expect(upstream.isAwaited()).toBe(false)
})

test('a comment has no empty line where events have ids, which some clients take for an event', async () => {
  const { upstream, timer, start } = startStream()
  upstream.send(`id: 1\n${content('Hello')}`)
  const events = await begun(start)
  await events.next()
  const next = events.next()
  await timer.pass(15_000)
  expect(await next).toBe(': heartbeat\n')
})

test('a usage event that the client did not ask for is dropped', async () => {
  const reported = chunk({ choices: [{ index: 0, delta: {} }], ...usage(9, 12) })
  const charge = { of: 'usage', usage: { inputTokens: 9, outputTokens: 12 } }
  const hidden = await forwarded([content('Hello'), END, reported, DONE])
  expect(hidden).toMatchObject({ text: content('Hello') + END + DONE, charge })
  const shown = await forwarded([content('Hello'), END, reported, DONE], {
    stream_options: { include_usage: true },
  })
  expect(shown).toMatchObject({ text: content('Hello') + END + reported + DONE, charge })
})

test.each([
  ['malformed JSON', 'data: {"choices":\n\n'],
  ['a large number', `data: {"id":12345678901234567890,"x":1.0,"choices":[]}\n\n`],
  ['escapes', 'data: {"x":"\\u0048","choices":[]}\n\n'],
  ['all fields', 'event: x\nid: 7\nretry: 1000\nother: y\ndata: {"choices":[]}\n\n'],
  ['CRLF', 'data: {"choices":[]}\r\n\r\n'],
  ['several lines of data', 'data: {"choices":\ndata: []}\n\n'],
])('an event passes byte for byte: %s', async (_, event) => {
  const { text, charge } = await forwarded([content('Hello'), event, END, DONE])
  expect(text).toBe(content('Hello') + event + END + DONE)
  expect(charge).toEqual(counted(5))
})

test('an event of 5 MB passes whole', async () => {
  const image = content('', { image: 'x'.repeat(5_000_000) })
  const stream = [content('Hello'), image, END, DONE].join('')
  const chunks = stream.match(/.{1,65536}/gs) ?? []
  expect((await forwarded(chunks)).text === stream).toBe(true)
})

test('the usage in a large event is charged', async () => {
  const last = content('Hello', { image: 'x'.repeat(5_000_000), ...usage(9, 12) })
  const { charge } = await forwarded([...(last.match(/.{1,65536}/gs) ?? []), END, DONE])
  expect(charge).toMatchObject({ usage: { inputTokens: 9, outputTokens: 12 } })
})

test('a large event that is cut off is ended before the error', async () => {
  const part = `data: ${'x'.repeat(2 * 1024 * 1024)}`
  const { text } = await forwarded([content('Hello'), part])
  expect(text === `${content('Hello')}${part}\n\n${errorEvent('reset')}${DONE}`).toBe(true)
})

test.each([
  ['[DONE] without an empty line', 'data: [DONE]', DONE],
  ['a finish reason without an empty line', END.trimEnd(), END + DONE],
  ['a finish reason with one line end', END.slice(0, -1), END + DONE],
])('the last event may lack its end: %s', async (_, last, expected) => {
  const { text, ends } = await forwarded([content('Hello'), last])
  expect(text).toBe(content('Hello') + expected)
  expect(ends).toEqual([{ kind: 'complete' }])
})

test('half an event at the end is dropped', async () => {
  const { text } = await forwarded([content('Hello'), END.slice(0, 40)])
  expect(text).toBe(content('Hello') + errorEvent('reset') + DONE)
})

test('several events of a chunk are sent in one write, without a copy', async () => {
  const { upstream, start } = startStream()
  const bytes = Buffer.from(content('Hello') + content(' world'))
  upstream.send(bytes)
  const part = await (await begun(start)).next()
  expect(part).toEqual(bytes)
  expect(typeof part === 'object' && part.buffer === bytes.buffer).toBe(true)
})

test('no more than one chunk is read ahead of the client', async () => {
  const { upstream, start } = startStream()
  for (const text of ['a', 'b', 'c']) upstream.send(content(text))
  const events = await begun(start)
  await turn()
  expect(upstream.unread()).toBe(2)
  await events.next()
  await turn()
  expect(upstream.unread()).toBe(2)
  await events.next()
  expect(upstream.unread()).toBe(1)
})

test('the end of the stream is known with its last bytes', async () => {
  const { upstream, start } = startStream()
  upstream.send(content('Hello'))
  upstream.send(END + DONE)
  const events = await begun(start)
  await events.next()
  expect(events.hasEnded()).toBe(false)
  expect(String(await events.next())).toBe(END + DONE)
  expect(events.hasEnded()).toBe(true)
  expect(await events.next()).toBeUndefined()
})

test('the connection can be used again: the body is read to its end after [DONE]', async () => {
  const { upstream, timer, start } = startStream()
  upstream.send(content('Hello') + END + DONE)
  await receive(start)
  expect(upstream.isAwaited()).toBe(true)
  upstream.end()
  await turn()
  expect(timer.isRunning()).toBe(false)
  expect(upstream.isCancelled()).toBe(false)
})

test('an upstream that sends on after [DONE] is cancelled', async () => {
  const { upstream, timer, start } = startStream()
  upstream.send(content('Hello') + END + DONE)
  await receive(start)
  upstream.send(': ping\n\n')
  await turn()
  expect(upstream.isCancelled()).toBe(false)
  await timer.pass(2_000)
  expect(upstream.isCancelled()).toBe(true)
})

test.each([
  ['after visible output', [content('Hello')], counted(5)],
  ['before visible output', [content('')], { of: 'estimate' }],
  [
    'with usage so far',
    [content('Hello', usage(9, 12))],
    { of: 'usage', usage: { inputTokens: 9, outputTokens: 12 } },
  ],
  ['with zeros as usage, then text', [content('', usage(0, 0)), content('Hello')], counted(5)],
])('a client that leaves cancels the upstream at once, and is charged %s', async (_, chunks, charge) => {
  const { upstream, timer, start, ends } = startStream()
  upstream.send(chunks.join(''))
  const events = await begun(start)
  await events.next()
  const next = events.next()
  events.cancel()
  expect(upstream.isCancelled()).toBe(true)
  expect(await next).toBeUndefined()
  expect(events.hasEnded()).toBe(true)
  expect(await events.charge()).toEqual(charge)
  expect(ends).toEqual([{ kind: 'left' }])
  expect(timer.isRunning()).toBe(false)
})

test('an exchange that the caller aborts has left', async () => {
  const { upstream, start, ends } = startStream()
  upstream.send(content('Hello'))
  const events = await begun(start)
  await events.next()
  const next = events.next()
  upstream.fail('aborted')
  expect(await next).toBeUndefined()
  expect(await events.charge()).toEqual(counted(5))
  expect(ends).toEqual([{ kind: 'left' }])
})

test('an exchange that the caller aborts before the first event has failed', async () => {
  const { upstream, start } = startStream()
  upstream.fail('aborted')
  expect(await start).toMatchObject({ failure: { failure: 'aborted' }, charge: { of: 'estimate' } })
})

test.each([
  ['the larger count', 1, 'Hello world', 11],
  ['the larger report', 100, 'Hello world', 100],
])('text after the last report is charged by %s', async (_, reported, text, outputTokens) => {
  const { charge } = await forwarded([content('', usage(9, reported)), content(text), END, DONE])
  expect(charge).toEqual({ of: 'usage', usage: { inputTokens: 9, outputTokens } })
})

test('usage on the last event with text includes that text', async () => {
  const { charge } = await forwarded([content('Hello'), content(' world', usage(9, 2)), END, DONE])
  expect(charge).toEqual({ of: 'usage', usage: { inputTokens: 9, outputTokens: 2 } })
})

test('a whole stream without visible output and usage is charged the estimate', async () => {
  expect((await forwarded([END, DONE])).charge).toEqual({ of: 'estimate' })
})
