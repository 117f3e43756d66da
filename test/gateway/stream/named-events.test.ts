import { expect, test } from 'vitest'
import { messagesApi } from '../../../src/gateway/apis/messages.ts'
import { responsesApi } from '../../../src/gateway/apis/responses.ts'
import { turn } from './support/manual-timer.ts'
import { receive, startStream } from './support/streamed-chat.ts'

const event = (type: string, fields: object = {}) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`

const MESSAGE = [
  event('message_start', { message: { id: 'msg_1', usage: { input_tokens: 25, output_tokens: 1 } } }),
  event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
  event('ping'),
  event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'Hello' } }),
  event('content_block_stop', { index: 0 }),
  event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 15 } }),
  event('message_stop'),
]

const RESPONSE = [
  event('response.created', { response: { id: 'resp_1', status: 'in_progress' } }),
  event('response.output_text.delta', { delta: 'Hello' }),
  event('response.completed', {
    response: { id: 'resp_1', usage: { input_tokens: 25, output_tokens: 15, total_tokens: 40 } },
  }),
]

const APIS = {
  messages: { api: 'messages', createReader: () => messagesApi.createStreamReader({}), events: MESSAGE },
  responses: { api: 'responses', createReader: () => responsesApi.createStreamReader({}), events: RESPONSE },
} as const

const startNamed = (name: keyof typeof APIS) => {
  const { api, createReader } = APIS[name]
  return startStream({}, { api, reader: createReader() })
}

const NAMES = ['messages', 'responses'] as const

test.each(NAMES)('a whole stream of %s passes without an addition', async (name) => {
  const { upstream, start, ends } = startNamed(name)
  for (const each of APIS[name].events) upstream.send(each)
  upstream.end()
  const { text, charge } = await receive(start)
  expect(text).toBe(APIS[name].events.join(''))
  expect(charge).toMatchObject({ of: 'usage', usage: { inputTokens: 25, outputTokens: 15 } })
  expect(ends).toEqual([{ kind: 'complete' }])
})

test.each(NAMES)('a whole stream of %s ends although the upstream keeps its connection', async (name) => {
  const { upstream, timer, start } = startNamed(name)
  upstream.send(APIS[name].events.join(''))
  const received = receive(start)
  await turn()
  await timer.pass(2_000)
  expect((await received).text).toBe(APIS[name].events.join(''))
  expect(upstream.isCancelled()).toBe(true)
})

test.each([
  ['messages', 4, { inputTokens: 25, outputTokens: 5 }],
  ['responses', 2, { inputTokens: 7, outputTokens: 5 }],
] as const)('a stream of %s that is cut off ends with an error event', async (name, sent, usage) => {
  const { upstream, start } = startNamed(name)
  const events = APIS[name].events.slice(0, sent)
  upstream.send(events.join(''))
  upstream.end()
  const { text, charge } = await receive(start)
  expect(text.startsWith(`${events.join('')}event: error\ndata: {"type":"error",`)).toBe(true)
  expect(text).toContain('The upstream failed: reset')
  expect(text).not.toContain('[DONE]')
  expect(charge).toEqual({ of: 'usage', usage })
})

test.each([
  ['the stream', [0, 1, 7], 8],
  ['no event that is numbered', [], 0],
  ['numbers that make no sense', [2, 1.5, -4, Number.MAX_SAFE_INTEGER + 1, 1], 3],
])('an error event of responses continues the numbers of %s', async (_, numbers, next) => {
  const { upstream, start } = startNamed('responses')
  const delta = event('response.output_text.delta', { delta: 'Hello' })
  const numbered = numbers.map((sequence_number) =>
    event('response.output_text.delta', { delta: 'Hi', sequence_number }),
  )
  upstream.send(delta + numbered.join(''))
  upstream.end()
  const { text } = await receive(start)
  expect(text).toMatch(new RegExp(`"sequence_number":${next}}\n\n$`))
})

test('a message that is left before visible output is charged the estimate', async () => {
  const { upstream, start } = startNamed('messages')
  upstream.send(MESSAGE.slice(0, 3).join(''))
  const result = await start
  if (result.kind === 'failed') throw new Error('the stream has failed')
  result.events.cancel()
  expect(await result.events.charge()).toEqual({ of: 'estimate' })
})

test('an overloaded upstream of messages fails before the stream begins', async () => {
  const { upstream, start } = startNamed('messages')
  upstream.send(event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } }))
  expect(await start).toMatchObject({
    kind: 'failed',
    problem: { status: 529, type: 'overloaded_error', message: 'Overloaded' },
    charge: { of: 'nothing' },
  })
})

test('an error in the middle of a message passes as it is', async () => {
  const { upstream, start } = startNamed('messages')
  const error = event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } })
  upstream.send(MESSAGE.slice(0, 4).join('') + error)
  upstream.end()
  const { text, charge } = await receive(start)
  expect(text).toBe(MESSAGE.slice(0, 4).join('') + error)
  expect(charge).toEqual({ of: 'usage', usage: { inputTokens: 25, outputTokens: 5 } })
})
