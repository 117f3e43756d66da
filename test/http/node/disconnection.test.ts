import { once } from 'node:events'
import { request, type ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { disconnection } from '../../../src/http/node/outgoing.ts'
import { startServer } from '../../support/loopback-server.ts'

/** A request whose response is not sent yet, and its client. */
const openRequest = async () => {
  const outgoing: ServerResponse[] = []
  const { origin } = await startServer((_, response) => void outgoing.push(response))
  const client = request(origin).on('error', () => {})
  client.end()
  while (outgoing.length === 0) await new Promise(setImmediate)
  const [response] = outgoing
  if (response === undefined) throw new Error('the server received nothing')
  return { client, response }
}

test('a client that leaves before the end aborts the signal, once', async () => {
  const { client, response } = await openRequest()
  const signal = disconnection(response)
  const calls: string[] = []
  const removed = () => calls.push('removed')
  signal.addEventListener('abort', removed)
  signal.addEventListener('abort', () => calls.push('first'), { once: true })
  signal.addEventListener('abort', () => calls.push('second'))
  signal.removeEventListener('abort', removed)
  expect(signal.aborted).toBe(false)
  const closed = once(response, 'close')
  client.destroy()
  await closed
  expect(signal.aborted).toBe(true)
  expect(calls).toEqual(['first', 'second'])
  // created too late
  expect(disconnection(response).aborted).toBe(true)
})

test('the end of a whole response does not', async () => {
  const { client, response } = await openRequest()
  const signal = disconnection(response)
  let calls = 0
  signal.addEventListener('abort', () => {
    calls += 1
  })
  client.on('response', (incoming) => incoming.resume())
  const closed = once(response, 'close')
  response.end('whole')
  await closed
  expect([signal.aborted, calls, disconnection(response).aborted]).toEqual([false, 0, false])
})
