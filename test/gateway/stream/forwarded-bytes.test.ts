import { expect, test } from 'vitest'
import { chatApi } from '../../../src/gateway/apis/chat.ts'
import type { StreamEvent } from '../../../src/gateway/apis/wire-api.ts'
import {
  begun,
  chunk,
  content,
  counted,
  DONE,
  END,
  errorEvent,
  forwarded,
  receive,
  startStream,
  usage,
} from './support/streamed-chat.ts'

test('a whole stream passes byte for byte', async () => {
  const { upstream, start, ends } = startStream()
  const stream = [content('Hello'), END, DONE].join('')
  upstream.send(stream)
  upstream.end()
  expect(await receive(start)).toEqual({ text: stream, charge: counted(5) })
  expect(ends).toEqual([{ kind: 'complete' }])
})

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
  ['before it', 'data:  [DONE]\n\n', DONE],
  ['after it', 'data: [DONE] \n\n', DONE],
  ['none', 'data:[DONE]\n\n', 'data:[DONE]\n\n'],
])('[DONE] with unusual blanks is one [DONE]: %s', async (_, done, sent) => {
  const { text } = await forwarded([content('Hello'), END, done])
  expect(text).toBe(content('Hello') + END + sent)
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

test('an error after the first event passes as it is, and then [DONE]', async () => {
  const error = 'data: {"error":{"message":"no capacity","code":503}}\n\n'
  const { text, charge, ends } = await forwarded([content('Hello'), error])
  expect(text).toBe(content('Hello') + error + DONE)
  expect(charge).toEqual(counted(5))
  expect(ends).toMatchObject([{ kind: 'failed', problem: { status: 503 }, failure: undefined }])
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

test('an event that its reader fails to read passes', async () => {
  const reader = chatApi.createStreamReader({})
  const read = (event: StreamEvent) => {
    if (event.data === '{}') throw new Error('a mistake')
    return reader.read(event)
  }
  const { upstream, start } = startStream({}, { reader: { ...reader, read } })
  const stream = [content('Hello'), 'data: {}\n\n', END, DONE]
  for (const event of stream) upstream.send(event)
  expect(await receive(start)).toEqual({ text: stream.join(''), charge: counted(5) })
})
