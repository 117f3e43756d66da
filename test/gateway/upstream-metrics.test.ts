import { describe, expect, test, vi } from 'vitest'
import { CallAborted } from '../../src/core/ports/model-backend.ts'
import { countUpstreams, occurred } from '../../src/platform/upstream-metrics.ts'
import {
  aChunk,
  anAnswer,
  DONE,
  events,
  json,
  LAST_CHUNK,
  resets,
  type Script,
  silent,
  startUpstream,
} from './scripted-upstream.ts'
import { aCall, aModelAt, anUpstream, createTestGateway, streamed } from './test-gateway.ts'

const STREAM = { messages: [], stream: true }

/** A gateway to an upstream of each script, called `a`, `b`, …, and what it counted. */
const counting = async (...scripts: readonly Script[]) => {
  const metrics = countUpstreams()
  const names = ['a', 'b', 'c'].slice(0, scripts.length)
  const upstreams = await Promise.all(
    scripts.map(async (script, at) =>
      anUpstream({ name: names[at] ?? '', baseUrl: (await startUpstream(script)).baseUrl }),
    ),
  )
  const { gateway } = createTestGateway(upstreams, { metrics })
  return { gateway, model: aModelAt(...names), metrics }
}

describe('a request to an upstream is counted by its outcome', () => {
  test.each([
    ['ok', json(200, anAnswer('Hi'))],
    ['client_error', json(404, { error: { message: 'no such model' } })],
    ['rate_limited', json(429, { error: { message: 'slow down' } })],
    ['rate_limited', json(200, { error: { message: 'slow down', code: 429 } })],
    ['server_error', json(500, { error: { message: 'broken' } })],
    ['server_error', json(200, 'no JSON')],
    ['connection', resets],
  ] as const)('%s', async (outcome, script) => {
    const { gateway, model, metrics } = await counting(script)
    await gateway.call(aCall({ model }))
    expect(metrics.all().map((each) => [each.upstream, each.model, occurred(each)])).toEqual([
      ['a', 'gpt-4', [[outcome, 1]]],
    ])
  })

  test('timeout', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    try {
      const { gateway, model, metrics } = await counting((_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
        vi.advanceTimersByTime(900_001)
      })
      await gateway.call(aCall({ model }))
      expect(metrics.all().map(occurred)).toEqual([[['timeout', 1]]])
    } finally {
      vi.useRealTimers()
    }
  })

  test('aborted, before a response and in a stream', async () => {
    const leaving = new AbortController()
    const early = await counting((received, response) => {
      silent(received, response)
      leaving.abort()
    })
    const calling = early.gateway.call(aCall({ model: early.model, signal: leaving.signal }))
    await expect(calling).rejects.toBeInstanceOf(CallAborted)
    expect(early.metrics.all().map(occurred)).toEqual([[['aborted', 1]]])

    const late = await counting((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(aChunk('Hi'))
    })
    const reply = await late.gateway.call(aCall({ model: late.model, body: STREAM }))
    expect(late.metrics.all().map(occurred)).toEqual([[]])
    if (reply.kind === 'stream') reply.events.cancel()
    expect(late.metrics.all().map(occurred)).toEqual([[['aborted', 1]]])
  })

  test.each([
    ['ok', events(aChunk('Hi'), LAST_CHUNK, DONE)],
    ['connection', events(aChunk('Hi'))],
    ['rate_limited', events(aChunk('Hi'), 'data: {"error":{"message":"slow down","code":429}}\n\n')],
  ] as const)('%s: a stream at its end, once', async (outcome, script) => {
    const { gateway, model, metrics } = await counting(script)
    await streamed(await gateway.call(aCall({ model, body: STREAM })))
    expect(metrics.all().map(occurred)).toEqual([[[outcome, 1]]])
  })
})

describe('at upstreams are counted, too', () => {
  test('the times to a response and to the first event', async () => {
    const { gateway, model, metrics } = await counting(events(aChunk('Hi'), LAST_CHUNK, DONE))
    await streamed(await gateway.call(aCall({ model, body: STREAM })))
    const { response, firstEvent } = metrics.all()[0] ?? {}
    expect([response?.count, firstEvent?.count]).toEqual([1, 1])
    expect(firstEvent?.sum).toBeGreaterThanOrEqual(response?.sum ?? Number.NaN)
    expect(response?.sum).toBeGreaterThan(0)
  })

  test('no time of a connection that fails', async () => {
    const { gateway, model, metrics } = await counting(resets)
    await gateway.call(aCall({ model }))
    expect(metrics.all()[0]).toMatchObject({ response: { count: 0 }, firstEvent: { count: 0 } })
  })

  test('fallbacks from one to the next, and not from the last', async () => {
    const { gateway, model, metrics } = await counting(resets, json(503, {}), json(429, {}))
    await gateway.call(aCall({ model }))
    expect(metrics.all().map(({ upstream, fallbacks }) => [upstream, fallbacks])).toEqual([
      ['a', 1],
      ['b', 1],
      ['c', 0],
    ])
  })

  test('how often one begins to rest', async () => {
    const { gateway, model, metrics } = await counting(json(503, {}), json(200, anAnswer('Hi')))
    for (const entityId of ['key-alice', 'key-bob', 'key-alice', 'key-bob'])
      await gateway.call(aCall({ model, entityId }))
    // the only upstream of a model is tried while it rests
    for (const entityId of ['key-alice', 'key-bob', 'key-alice', 'key-bob'])
      await gateway.call(aCall({ model: aModelAt('a'), entityId }))
    expect(metrics.all().map(({ upstream, rests, outcomes }) => [upstream, rests, outcomes.ok])).toEqual([
      ['a', 1, 0],
      ['b', 0, 4],
    ])
  })
})
