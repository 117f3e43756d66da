import { expect, test } from 'vitest'
import { turn } from './support/manual-timer.ts'
import {
  begun,
  chunk,
  content,
  counted,
  DONE,
  END,
  errorEvent,
  readAll,
  receive,
  startStream,
  usage,
} from './support/streamed-chat.ts'

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

test('an error as the first event may lack its end', async () => {
  const { upstream, start } = startStream()
  upstream.send('data: {"error":{"message":"no capacity","code":503}}')
  upstream.end()
  expect(await start).toMatchObject({
    problem: { status: 503 },
    failure: undefined,
    charge: { of: 'nothing' },
  })
})

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

test('repeated usage after the finish reason does not prolong the stream', async () => {
  const { upstream, timer, start } = startStream()
  upstream.send(content('Hello') + END)
  const received = receive(start)
  await turn()
  for (let second = 0; second < 3; second++) {
    await timer.pass(900)
    upstream.send(chunk({ choices: [], ...usage(70, second) }))
    await turn()
  }
  expect(upstream.isCancelled()).toBe(true)
  expect((await received).text).toBe(content('Hello') + END + DONE)
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

test('a client that is slow after the finish reason waits 2 s for the usage when it reads again', async () => {
  const { upstream, timer, start } = startStream()
  upstream.send(content('Hello') + END)
  const events = await begun(start)
  await events.next()
  await timer.pass(60_000)
  const next = events.next()
  await timer.pass(1_999)
  expect(upstream.isCancelled()).toBe(false)
  await timer.pass(1)
  expect(await next).toBe(DONE)
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

test('bytes that arrive before the first comment is read follow it', async () => {
  const { upstream, timer, start } = startStream()
  await timer.pass(15_000)
  const events = await begun(start)
  upstream.send(content('late'))
  await turn()
  expect(String(await events.next())).toBe(`: heartbeat\n\n${content('late')}`)
})

test('a stream that begins late has no comment before its time', async () => {
  const { timer, start } = startStream({}, {}, 20_000)
  await timer.pass(15_000)
  const events = await begun(start)
  const next = events.next()
  await timer.pass(4_999)
  expect(await Promise.race([next, turn()])).toBeUndefined()
  await timer.pass(1)
  expect(await next).toBe(': heartbeat\n\n')
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

test('an upstream that sends much after [DONE] is cancelled at once', async () => {
  const { upstream, start } = startStream()
  upstream.send(content('Hello') + END + DONE)
  await receive(start)
  upstream.send(new Uint8Array(64 * 1024))
  await turn()
  expect(upstream.isCancelled()).toBe(false)
  upstream.send(new Uint8Array(1))
  await turn()
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
  upstream.send(content('not counted'))
  await turn()
  expect(await events.charge()).toEqual(charge)
  expect(ends).toEqual([{ kind: 'left' }])
  expect(timer.isRunning()).toBe(false)
})

test('a client that leaves receives nothing more', async () => {
  const { upstream, start } = startStream()
  upstream.send(content('Hello'))
  const events = await begun(start)
  events.cancel()
  expect(events.hasEnded()).toBe(true)
  expect(await events.next()).toBeUndefined()
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
