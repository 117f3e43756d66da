import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, onTestFinished, test } from 'vitest'
import { DEFAULT_TIMEOUTS } from '../../../src/core/model/upstream.ts'
import { chatApi } from '../../../src/gateway/apis/chat.ts'
import { beginStream } from '../../../src/gateway/stream/begin-stream.ts'
import { createUpstreamConnection } from '../../../src/gateway/upstream/connection.ts'
import { startServer } from '../../support/loopback-server.ts'
import {
  begun,
  content,
  countText,
  DONE,
  END,
  errorEvent,
  problemOf,
  readAll,
} from './support/streamed-chat.ts'

/** Chats with an upstream on this machine, over sockets and with the platform's timers. */
const startUpstream = async (respond: (response: ServerResponse) => void, heartbeatMs = 15_000) => {
  const ports = new Set<number | undefined>()
  const { origin } = await startServer((request, response) => {
    ports.add(request.socket.remotePort)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    request.resume().on('end', () => respond(response))
  })
  const connection = createUpstreamConnection({ origin, timeouts: DEFAULT_TIMEOUTS })
  onTestFinished(() => connection.close())
  const stream = async () => {
    const response = await connection.send({
      path: '/',
      body: '{}',
      headers: {},
      signal: new AbortController().signal,
    })
    return beginStream(
      {
        response,
        reader: chatApi.createStreamReader({ stream: true }),
        api: 'chat',
        requestId: 'req-1',
        inputTokens: 7,
        problemOf,
      },
      { countText, heartbeatMs },
    )
  }
  return { stream, ports }
}

/** A response that the test writes once its request has arrived. */
const heldUpstream = async (heartbeatMs?: number) => {
  const arrived: ServerResponse[] = []
  const upstream = await startUpstream((response) => {
    arrived.push(response)
    response.write(content('Hello'))
  }, heartbeatMs)
  const events = await begun(upstream.stream())
  expect(String(await events.next())).toBe(content('Hello'))
  const [response] = arrived
  if (response === undefined) throw new Error('no request has arrived')
  return { ...upstream, events, response }
}

test('whole streams pass, one after the other over one connection', async () => {
  const upstream = await startUpstream((response) => {
    response.write(content('Hello') + END)
    response.end(DONE)
  })
  for (let round = 0; round < 3; round++) {
    const events = await begun(upstream.stream())
    expect(await readAll(events)).toBe(content('Hello') + END + DONE)
    // the end of the body is read behind the client's back
    await new Promise(setImmediate)
  }
  expect(upstream.ports.size).toBe(1)
})

test('a byte at a time passes as well', async () => {
  const stream = `: héllo\r\n\r\n${content('日本語𝄞')}${END}${DONE}`
  const upstream = await startUpstream(async (response) => {
    for (const byte of Buffer.from(stream)) {
      response.write(Uint8Array.of(byte))
      await new Promise(setImmediate)
    }
    response.end()
  })
  expect(await readAll(await begun(upstream.stream()))).toBe(stream)
})

test.each([
  ['in mid-stream', [content('Hello')], content('Hello') + errorEvent('reset') + DONE],
  ['after the whole answer', [content('Hello'), END], content('Hello') + END + DONE],
])('a connection that breaks %s', async (_, parts, expected) => {
  const upstream = await startUpstream((response) => {
    response.write(parts.join(''), () => response.socket?.destroy())
  })
  expect(await readAll(await begun(upstream.stream()))).toBe(expected)
})

test('a connection that breaks before the end of an event fails', async () => {
  const upstream = await startUpstream((response) => {
    response.write('data: {', () => response.socket?.destroy())
  })
  expect(await upstream.stream()).toMatchObject({ kind: 'failed', failure: { failure: 'reset' } })
})

test('comments are sent while the upstream is silent, and then its events', async () => {
  const { events, response } = await heldUpstream(5)
  for (let comment = 0; comment < 3; comment++) expect(await events.next()).toBe(': heartbeat\n\n')
  response.end(END + DONE)
  expect((await readAll(events)).replaceAll(': heartbeat\n\n', '')).toBe(END + DONE)
})

const collectGarbage = (): void => {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect !== 'function') throw new Error('the garbage collector cannot be called')
  collect()
}

test('a client that leaves closes the connection to the upstream, also after a garbage collection', async () => {
  const { events, response } = await heldUpstream()
  const next = events.next()
  for (let round = 0; round < 3; round++) {
    collectGarbage()
    await new Promise(setImmediate)
  }
  const closed = once(response, 'close')
  events.cancel()
  expect(await next).toBeUndefined()
  await closed
})

test('a slow client slows the upstream down', async () => {
  const { events, response } = await heldUpstream()
  const event = content('x'.repeat(60_000))
  let sent = 0
  // without back-pressure the first bound would be reached
  while (sent < 2_000 && (response.write(event) || (await drainsSoon(response)))) sent += 1
  expect(sent).toBeLessThan(2_000)
  response.end(END + DONE)
  const expected = (sent + 1) * event.length + END.length + DONE.length
  expect((await readAll(events)).length).toBe(expected)
})

/** Whether the connection takes more bytes within some turns of the event loop. */
const drainsSoon = async (response: ServerResponse): Promise<boolean> => {
  for (let turn = 0; turn < 200 && response.writableNeedDrain; turn++) await new Promise(setImmediate)
  return !response.writableNeedDrain
}
