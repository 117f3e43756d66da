import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { CallAborted } from '../../src/core/ports/model-backend.ts'
import {
  aChunk,
  anAnswer,
  DONE,
  events,
  json,
  LAST_CHUNK,
  resets,
  startUpstream,
} from './scripted-upstream.ts'
import { aCall, aModelAt, anUpstream, createTestGateway, shown, streamed } from './test-gateway.ts'

const raise = (message: string): never => {
  throw new Error(message)
}

const USAGE = { prompt_tokens: 11, completion_tokens: 22, total_tokens: 33 }

describe('a whole response', () => {
  test('passes byte for byte, and is charged by its usage', async () => {
    const text =
      '{"b":12345678901234567890, "a":1.0,"choices":[{"message":{"content":"\\u0048i"}}],"usage":{"prompt_tokens":11,"completion_tokens":22}}\n'
    const { baseUrl, received } = await startUpstream(json(200, text))
    const { gateway } = createTestGateway([anUpstream({ baseUrl })])
    expect(shown(await gateway.call(aCall()))).toEqual({
      status: 200,
      text,
      headers: { 'content-type': 'application/json', 'x-zael-upstream': 'default' },
      charge: { of: 'usage', usage: { inputTokens: 11, outputTokens: 22 } },
    })
    expect(received).toMatchObject([
      {
        path: '/v1/chat/completions',
        body: { model: 'gpt-4', messages: [{ role: 'user', content: 'Hi' }], max_completion_tokens: 100 },
      },
    ])
  })

  test('without usage, or with zeros beside text, is charged by its text', async () => {
    for (const usage of [undefined, { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }]) {
      const { baseUrl } = await startUpstream(json(200, anAnswer('one two three', usage)))
      const { gateway } = createTestGateway([anUpstream({ baseUrl })])
      expect(shown(await gateway.call(aCall({ inputTokens: 500 }))).charge).toEqual({
        of: 'usage',
        usage: { inputTokens: 500, outputTokens: 3 },
      })
    }
  })

  test('is sent although a stream was requested, if the upstream sends no stream', async () => {
    const { baseUrl } = await startUpstream(json(200, anAnswer('Hi', USAGE)))
    const { gateway } = createTestGateway([anUpstream({ baseUrl })])
    const reply = await gateway.call(aCall({ body: { messages: [], stream: true } }))
    expect(shown(reply).text).toBe(JSON.stringify(anAnswer('Hi', USAGE)))
  })

  test('that is not JSON, or compressed, is a failure of the upstream', async () => {
    for (const script of [
      json(200, '<html></html>'),
      json(200, 'xx', { 'content-encoding': 'gzip' }),
      json(307, '', { location: 'http://127.0.0.1:9/' }),
    ]) {
      const { baseUrl } = await startUpstream(script)
      const { gateway } = createTestGateway([anUpstream({ baseUrl })])
      expect(shown(await gateway.call(aCall()))).toMatchObject({
        status: 502,
        code: 'upstream_unavailable',
        message: expect.stringContaining('The upstream default '),
        headers: { 'x-zael-upstream': 'default' },
      })
    }
  })
})

describe('an error in a response with status 200', () => {
  const errorWith = (error: unknown, rest: object = {}) => json(200, { error, ...rest })

  test.each([
    [{ message: 'no capacity', code: 502 }, 502],
    [{ message: 'no capacity', code: '429' }, 429],
    [{ message: 'no capacity', code: 200 }, 502],
    [{ message: 'no capacity', code: 'overloaded' }, 502],
  ])('%j is %i, and not charged', async (error, status) => {
    const { baseUrl } = await startUpstream(errorWith(error))
    const { gateway } = createTestGateway([anUpstream({ baseUrl })])
    expect(shown(await gateway.call(aCall()))).toMatchObject({
      status,
      message: 'no capacity',
      charge: { of: 'nothing' },
    })
  })

  test('beside an answer, or null, is an answer', async () => {
    for (const error of [null, { message: 'a warning', code: 500 }]) {
      const { baseUrl } = await startUpstream(errorWith(error, anAnswer('Hi', USAGE)))
      const { gateway } = createTestGateway([anUpstream({ baseUrl })])
      expect(shown(await gateway.call(aCall()))).toMatchObject({ status: 200, charge: { of: 'usage' } })
    }
  })

  test('with status 401 does not show the text of the upstream', async () => {
    const { baseUrl } = await startUpstream(errorWith({ message: 'Incorrect API key sk-abc', code: 401 }))
    const { gateway } = createTestGateway([anUpstream({ baseUrl })])
    expect(shown(await gateway.call(aCall()))).toMatchObject({
      status: 502,
      message: 'The upstream default rejects the credentials of zael',
    })
  })
})

describe('a stream', () => {
  const stream = { messages: [], stream: true }

  test('passes as it came, with the name of its upstream, and is charged by its usage', async () => {
    const parts = [': hello\n\n', aChunk('Hi'), LAST_CHUNK, DONE]
    const usage = `data: ${JSON.stringify({ id: 'c', choices: [], usage: USAGE })}\n\n`
    const { baseUrl, received } = await startUpstream(events(...parts.slice(0, 3), usage, DONE))
    const { gateway } = createTestGateway([anUpstream({ baseUrl })])
    expect(await streamed(await gateway.call(aCall({ body: stream })))).toEqual({
      status: 200,
      text: parts.join(''),
      headers: { 'x-zael-upstream': 'default' },
      charge: { of: 'usage', usage: { inputTokens: 11, outputTokens: 22 } },
    })
    expect(received[0]).toMatchObject({
      headers: { accept: 'text/event-stream', 'accept-encoding': 'identity' },
      body: { stream: true, stream_options: { include_usage: true } },
    })
  })

  test('is told by the essence of the media type, whatever was requested', async () => {
    const { baseUrl } = await startUpstream((_, response) => {
      response.writeHead(200, { 'content-type': ' Text/Event-Stream ; charset="utf-8"' })
      response.end(aChunk('Hi') + LAST_CHUNK + DONE)
    })
    const { gateway } = createTestGateway([anUpstream({ baseUrl })])
    expect((await streamed(await gateway.call(aCall()))).text).toBe(aChunk('Hi') + LAST_CHUNK + DONE)
  })

  test('that begins with an error moves on, and one that fails later does not', async () => {
    const failing = await startUpstream(events('data: {"error":{"message":"no capacity","code":503}}\n\n'))
    const cut = await startUpstream((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(aChunk('one two'), () => response.destroy())
    })
    const { gateway, log } = createTestGateway([
      anUpstream({ name: 'a', baseUrl: failing.baseUrl }),
      anUpstream({ name: 'b', baseUrl: cut.baseUrl }),
    ])
    const reply = await gateway.call(aCall({ body: stream, model: aModelAt('a', 'b', 'a') }))
    const { text, headers, charge } = await streamed(reply)
    expect(headers).toEqual({ 'x-zael-upstream': 'b' })
    expect(text).toContain('one two')
    expect(text).toContain('"code":"upstream_unavailable"')
    expect(charge).toEqual({ of: 'usage', usage: { inputTokens: 9, outputTokens: 2 } })
    expect(log).toEqual([
      {
        level: 'warn',
        message: 'upstream failed',
        fields: { upstream: 'a', model: 'gpt-4', cause: 'error event', status: 503, requestId: 'req_1' },
      },
      {
        level: 'warn',
        message: 'upstream failed',
        fields: { upstream: 'b', model: 'gpt-4', cause: 'reset', status: 502, requestId: 'req_1' },
      },
    ])
  })

  test('that its caller leaves ends at the upstream, with a line at debug only', async () => {
    let upstream: ServerResponse | undefined
    const { baseUrl } = await startUpstream((_, response) => {
      upstream = response
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(aChunk('one two'))
    })
    const { gateway, log } = createTestGateway([anUpstream({ baseUrl })])
    const caller = new AbortController()
    const reply = await gateway.call(aCall({ body: stream, signal: caller.signal }))
    if (reply.kind !== 'stream' || upstream === undefined) throw new Error('no stream')
    await reply.events.next()
    const closed = once(upstream, 'close')
    caller.abort()
    reply.events.cancel()
    await closed
    expect(await reply.events.charge()).toEqual({ of: 'usage', usage: { inputTokens: 9, outputTokens: 2 } })
    expect(log.map(({ level, message }) => [level, message])).toEqual([['debug', 'caller disconnected']])
  })
})

describe('the upstreams of a model', () => {
  test('are tried in order, under the name that the model has there', async () => {
    const broken = await startUpstream(json(503, { error: { message: 'busy' } }))
    const limited = await startUpstream(
      json(429, { error: { message: 'slow down' } }, { 'retry-after': '7' }),
    )
    const works = await startUpstream(json(200, anAnswer('Hi', USAGE)))
    const { gateway, log } = createTestGateway([
      anUpstream({ name: 'closed', baseUrl: 'http://127.0.0.1:1/v1' }),
      anUpstream({ name: 'broken', baseUrl: broken.baseUrl }),
      anUpstream({ name: 'limited', baseUrl: limited.baseUrl }),
      anUpstream({ name: 'works', baseUrl: works.baseUrl }),
    ])
    const model = aModelAt('missing', 'closed', 'broken', 'limited', ['works', 'gpt-4-2024'])
    const reply = shown(await gateway.call(aCall({ model })))
    expect(reply).toMatchObject({ status: 200, headers: { 'x-zael-upstream': 'works' } })
    expect(works.received).toMatchObject([{ body: { model: 'gpt-4-2024' } }])
    expect(log.map(({ fields }) => [fields.upstream, fields.cause])).toEqual([
      ['missing', 'missing'],
      ['closed', 'connect'],
      ['broken', 'status 503'],
      ['limited', 'status 429'],
    ])
  })

  test('all failing: the last failure passes with its waits', async () => {
    const body = {
      error: { message: 'slow down', type: 'requests', param: null, code: 'rate_limit_exceeded' },
    }
    const waits = { 'retry-after': '7', 'retry-after-ms': '6500', 'x-should-retry': 'true' }
    const limited = await startUpstream(json(429, body, waits))
    const { gateway } = createTestGateway([
      anUpstream({ name: 'closed', baseUrl: 'http://127.0.0.1:1/v1' }),
      anUpstream({ name: 'limited', baseUrl: limited.baseUrl }),
    ])
    expect(shown(await gateway.call(aCall({ model: aModelAt('closed', 'limited') })))).toEqual({
      status: 429,
      text: JSON.stringify(body),
      headers: { 'content-type': 'application/json', 'x-zael-upstream': 'limited', ...waits },
      charge: { of: 'nothing' },
    })
  })

  test('are not left for a refusal', async () => {
    const refuses = await startUpstream(json(400, { error: { message: 'too long' } }))
    const works = await startUpstream(json(200, anAnswer('Hi', USAGE)))
    const { gateway, log } = createTestGateway([
      anUpstream({ name: 'a', baseUrl: refuses.baseUrl }),
      anUpstream({ name: 'b', baseUrl: works.baseUrl }),
    ])
    const reply = shown(await gateway.call(aCall({ model: aModelAt('a', 'b') })))
    expect(reply).toMatchObject({ status: 400, charge: { of: 'request' } })
    expect(works.received).toEqual([])
    expect(log).toEqual([])
  })

  test('a request that was sent and cut off is charged the estimate, unless another answers', async () => {
    const cut = await startUpstream(resets)
    const limited = await startUpstream(json(429, { error: { message: 'slow down' } }))
    const works = await startUpstream(json(200, anAnswer('Hi', USAGE)))
    const { gateway } = createTestGateway([
      anUpstream({ name: 'cut', baseUrl: cut.baseUrl }),
      anUpstream({ name: 'limited', baseUrl: limited.baseUrl }),
      anUpstream({ name: 'works', baseUrl: works.baseUrl }),
      anUpstream({ name: 'closed', baseUrl: 'http://127.0.0.1:1/v1' }),
    ])
    const charges = []
    for (const names of [['closed'], ['cut'], ['cut', 'limited'], ['cut', 'works']]) {
      charges.push(shown(await gateway.call(aCall({ model: aModelAt(...names) }))).charge.of)
    }
    expect(charges).toEqual(['nothing', 'estimate', 'estimate', 'usage'])
  })

  test('none named: the default; without any upstream the simulated model; else none', async () => {
    const works = await startUpstream(json(200, anAnswer('Hi', USAGE)))
    const { gateway, configure } = createTestGateway([anUpstream({ baseUrl: works.baseUrl })])
    const used = async () => shown(await gateway.call(aCall()))
    expect(await used()).toMatchObject({ headers: { 'x-zael-upstream': 'default' } })
    configure([])
    expect(await used()).toMatchObject({ text: 'simulated', headers: { 'x-zael-upstream': 'simulated' } })
    configure([anUpstream({ name: 'other' })])
    expect(await used()).toMatchObject({
      status: 502,
      code: 'upstream_unavailable',
      message: 'No upstream is configured for the model gpt-4',
      charge: { of: 'nothing' },
    })
  })

  test('of the kind simulated are answered by the simulated model', async () => {
    const { gateway } = createTestGateway([anUpstream({ name: 'sim', kind: 'simulated', baseUrl: null })])
    expect(shown(await gateway.call(aCall({ model: aModelAt('sim') })))).toMatchObject({
      text: 'simulated',
      headers: { 'x-zael-upstream': 'sim' },
    })
  })

  test('without the route of a request are passed over; if all lack it, it is not found', async () => {
    const works = await startUpstream(
      json(200, { data: [{ embedding: [1] }], usage: { prompt_tokens: 2, total_tokens: 2 } }),
    )
    const { gateway } = createTestGateway([
      anUpstream({ name: 'bedrock', kind: 'bedrock', baseUrl: works.origin }),
      anUpstream({ name: 'openai', baseUrl: works.baseUrl }),
    ])
    const call = { api: 'embeddings', body: { input: 'Hi' }, outputBound: null } as const
    const passed = await gateway.call(aCall({ ...call, model: aModelAt('bedrock', 'openai') }))
    expect(shown(passed)).toMatchObject({ status: 200, headers: { 'x-zael-upstream': 'openai' } })
    expect(shown(await gateway.call(aCall({ ...call, model: aModelAt('bedrock') })))).toMatchObject({
      status: 404,
      message: 'The upstream bedrock has no route /v1/embeddings',
      charge: { of: 'request' },
    })
  })

  test('can change: responses in progress continue', async () => {
    const held: ServerResponse[] = []
    const first = await startUpstream((_, response) => void held.push(response))
    const second = await startUpstream(json(200, anAnswer('second', USAGE)))
    const { gateway, configure } = createTestGateway([anUpstream({ baseUrl: first.baseUrl })])
    const inProgress = gateway.call(aCall())
    while (held.length === 0) await new Promise(setImmediate)
    configure([anUpstream({ baseUrl: second.baseUrl })])
    expect(shown(await gateway.call(aCall())).text).toContain('second')
    held[0]?.end(JSON.stringify(anAnswer('first', USAGE)))
    expect(shown(await inProgress).text).toContain('first')
  })
})

describe('an upstream that has failed', () => {
  test('rests, with other models still served there', async () => {
    const broken = await startUpstream(({ body }, response) =>
      json(body.model === 'bad' ? 500 : 200, anAnswer('Hi', USAGE))(
        { path: '', headers: {}, body },
        response,
      ),
    )
    const works = await startUpstream(json(200, anAnswer('Hi', USAGE)))
    const { gateway, clock } = createTestGateway([
      anUpstream({ name: 'a', baseUrl: broken.baseUrl }),
      anUpstream({ name: 'b', baseUrl: works.baseUrl }),
    ])
    const model = aModelAt(['a', 'bad'], 'b')
    for (const entityId of ['one', 'two', 'one']) await gateway.call(aCall({ model, entityId }))
    expect(broken.received).toHaveLength(3)
    await gateway.call(aCall({ model }))
    expect(broken.received).toHaveLength(3)
    expect(gateway.upstreamStates()).toEqual([
      {
        upstream: 'a',
        factor: 1,
        model: 'bad',
        restsUntil: clock.now() + 30_000_000_000n,
        lastFailure: { cause: 'status 500', at: clock.now() },
      },
    ])
    await gateway.call(aCall({ model: aModelAt(['a', 'good'], 'b') }))
    expect(broken.received).toHaveLength(4)
    clock.advance(30_000_000_000n)
    await gateway.call(aCall({ model }))
    expect(broken.received).toHaveLength(5)
  })

  test('does not rest for the failures of one caller, however many', async () => {
    const broken = await startUpstream(json(500, { error: { message: 'provoked' } }))
    const cut = await startUpstream(resets)
    const works = await startUpstream(json(200, anAnswer('Hi', USAGE)))
    const { gateway } = createTestGateway([
      anUpstream({ name: 'broken', baseUrl: broken.baseUrl }),
      anUpstream({ name: 'cut', baseUrl: cut.baseUrl }),
      anUpstream({ name: 'works', baseUrl: works.baseUrl }),
    ])
    const model = aModelAt('broken', 'cut', 'works')
    for (let i = 0; i < 20; i++) await gateway.call(aCall({ model, entityId: 'hostile' }))
    expect(gateway.upstreamStates().map(({ restsUntil }) => restsUntil)).toEqual([null, null])
    await gateway.call(aCall({ model, entityId: 'other' }))
    expect([broken.received.length, cut.received.length]).toEqual([21, 21])
  })
})

describe('an adaptive upstream', () => {
  const limited = (
    adaptive: { floor: number } | null,
    script = json(429, { error: { message: 'slow down' } }),
  ) =>
    startUpstream(script).then(({ baseUrl }) =>
      createTestGateway([anUpstream({ name: 'a', baseUrl, adaptive })]),
    )

  test('that answers 429 has a factor, in its state and for the requests of its models', async () => {
    const { gateway } = await limited({ floor: 0.1 })
    const model = aModelAt('a')
    expect(gateway.paceOf(model, 'key-alice')).toBeUndefined()
    await gateway.call(aCall({ model, entityId: 'key-alice' }))
    await gateway.call(aCall({ model, entityId: 'key-bob' }))
    expect(gateway.paceOf(model, 'key-charlie')?.factor).toBe(0.75)
    expect(gateway.paceOf(aModelAt('b'), 'key-charlie')).toBeUndefined()
    expect(gateway.upstreamStates()).toMatchObject([
      { upstream: 'a', model: 'gpt-4', factor: 0.75, restsUntil: null, lastFailure: { cause: 'status 429' } },
    ])
  })

  test('is observed by a 429 in the body, and by what it reports to be left', async () => {
    const model = aModelAt('a')
    const inBody = await limited({ floor: 0.1 }, json(200, { error: { message: 'slow down', code: 429 } }))
    await inBody.gateway.call(aCall({ model }))
    expect(inBody.gateway.paceOf(model, 'key-alice')?.factor).toBe(0.75)
    const headers = { 'x-ratelimit-limit-requests': '500', 'x-ratelimit-remaining-requests': '3' }
    const reported = await limited({ floor: 0.1 }, json(200, anAnswer('Hi'), headers))
    await reported.gateway.call(aCall({ model }))
    expect(reported.gateway.upstreamStates()).toEqual([
      { upstream: 'a', model: 'gpt-4', factor: 0.75, restsUntil: null, lastFailure: null },
    ])
  })

  test('it is not unless it is set', async () => {
    const { gateway } = await limited(null)
    const model = aModelAt('a')
    await gateway.call(aCall({ model }))
    expect(gateway.paceOf(model, 'key-alice')).toBeUndefined()
    expect(gateway.upstreamStates()).toMatchObject([{ factor: 1 }])
  })

  test('loses its factor when it is set so no more', async () => {
    const { baseUrl } = await startUpstream(json(429, { error: { message: 'slow down' } }))
    const upstream = anUpstream({ name: 'a', baseUrl, adaptive: { floor: 0.1 } })
    const { gateway, configure } = createTestGateway([upstream])
    const model = aModelAt('a')
    await gateway.call(aCall({ model }))
    configure([{ ...upstream, adaptive: null }])
    await gateway.call(aCall({ model }))
    expect(gateway.paceOf(model, 'key-alice')).toBeUndefined()
  })
})

describe('a caller that disconnects', () => {
  test('before a response begins is charged the estimate if the request was sent', async () => {
    const held: ServerResponse[] = []
    const { baseUrl } = await startUpstream((_, response) => void held.push(response))
    const { gateway } = createTestGateway([anUpstream({ baseUrl })])
    const early = gateway.call(aCall({ signal: AbortSignal.abort() }))
    await expect(early).rejects.toEqual(new CallAborted({ of: 'nothing' }))
    const caller = new AbortController()
    const calling = gateway.call(aCall({ signal: caller.signal }))
    while (held.length === 0) await new Promise(setImmediate)
    caller.abort()
    await expect(calling).rejects.toMatchObject({ name: 'CallAborted', charge: { of: 'estimate' } })
  })

  test('between the headers and the first event is charged the estimate', async () => {
    const held: ServerResponse[] = []
    const { baseUrl } = await startUpstream((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      held.push(response)
    })
    const { gateway, log } = createTestGateway([anUpstream({ baseUrl })])
    const caller = new AbortController()
    const calling = gateway.call(aCall({ body: { messages: [], stream: true }, signal: caller.signal }))
    const rejected = expect(calling).rejects.toMatchObject({
      name: 'CallAborted',
      charge: { of: 'estimate' },
    })
    while (held.length === 0) await new Promise(setImmediate)
    const closed = once(held[0] ?? raise('no response'), 'close')
    caller.abort()
    await rejected
    await closed
    const fields = { upstream: 'default', model: 'gpt-4', requestId: 'req_1' }
    expect(log).toEqual([{ level: 'debug', message: 'caller disconnected', fields }])
  })

  test('does not make zael ask the next upstream', async () => {
    const works = await startUpstream(json(200, anAnswer('Hi', USAGE)))
    const caller = new AbortController()
    const leaves = await startUpstream((_, response) => {
      caller.abort()
      response.destroy()
    })
    const { gateway } = createTestGateway([
      anUpstream({ name: 'a', baseUrl: leaves.baseUrl }),
      anUpstream({ name: 'b', baseUrl: works.baseUrl }),
    ])
    const calling = gateway.call(aCall({ model: aModelAt('a', 'b'), signal: caller.signal }))
    await expect(calling).rejects.toMatchObject({ name: 'CallAborted', charge: { of: 'estimate' } })
    expect(works.received).toEqual([])
  })
})

describe('a field that zael adds and an upstream refuses', () => {
  const refusing = (field: string, status = 422) =>
    startUpstream((received, response) =>
      field in received.body
        ? json(status, { error: { message: `not permitted: ${field}` } })(received, response)
        : received.body.stream === true
          ? events(aChunk('one two'), LAST_CHUNK, DONE)(received, response)
          : json(200, anAnswer('Hi', USAGE))(received, response),
    )

  test('stream_options: asked once more without it, remembered, counted by zael', async () => {
    const { baseUrl, received } = await refusing('stream_options')
    const { gateway } = createTestGateway([anUpstream({ baseUrl })])
    for (let i = 0; i < 2; i++) {
      const reply = await gateway.call(aCall({ body: { messages: [], stream: true } }))
      expect((await streamed(reply)).charge).toEqual({
        of: 'usage',
        usage: { inputTokens: 9, outputTokens: 2 },
      })
    }
    expect(received.map(({ body }) => 'stream_options' in body)).toEqual([true, false, false])
  })

  test('max_completion_tokens: the bound is sent as max_tokens', async () => {
    const { baseUrl, received } = await refusing('max_completion_tokens', 400)
    const { gateway } = createTestGateway([anUpstream({ baseUrl })])
    for (let i = 0; i < 2; i++) expect(shown(await gateway.call(aCall())).status).toBe(200)
    const bounds = received.map(({ body }) => [body.max_completion_tokens, body.max_tokens])
    expect(bounds).toEqual([
      [100, undefined],
      [undefined, 100],
      [undefined, 100],
    ])
  })

  test('is sent again after an hour, and to other models', async () => {
    const { baseUrl, received } = await refusing('max_completion_tokens')
    const { gateway, clock } = createTestGateway([anUpstream({ baseUrl })])
    await gateway.call(aCall())
    await gateway.call(aCall({ model: aModelAt(['default', 'other']) }))
    clock.advance(3_600_000_000_000n)
    await gateway.call(aCall())
    expect(received.map(({ body }) => 'max_completion_tokens' in body)).toEqual([
      true,
      false,
      true,
      false,
      true,
      false,
    ])
  })

  test('is not remembered if the request fails without it too', async () => {
    const { baseUrl, received } = await startUpstream(
      json(400, { error: { message: 'max_completion_tokens must be positive' } }),
    )
    const { gateway } = createTestGateway([anUpstream({ baseUrl })])
    for (let i = 0; i < 2; i++) expect(shown(await gateway.call(aCall())).status).toBe(400)
    expect(received.map(({ body }) => 'max_completion_tokens' in body)).toEqual([true, false, true, false])
  })

  test('is not removed if the client sent it: a client cannot make zael remember its own mistake', async () => {
    const { baseUrl, received } = await refusing('max_completion_tokens')
    const { gateway } = createTestGateway([anUpstream({ baseUrl })])
    const body = { messages: [], max_completion_tokens: 5 }
    expect(shown(await gateway.call(aCall({ body, outputBound: null }))).status).toBe(422)
    expect(received).toHaveLength(1)
    const strict = await refusing('stream_options')
    const other = createTestGateway([anUpstream({ baseUrl: strict.baseUrl })]).gateway
    const asked = { messages: [], stream: true, stream_options: { include_usage: true } }
    expect(shown(await other.call(aCall({ body: asked }))).status).toBe(422)
    expect(strict.received).toHaveLength(1)
  })
})

describe('counting tokens', () => {
  test('is done by zael where an upstream has no such route', async () => {
    const { baseUrl, origin } = await startUpstream(json(404, { error: { message: 'no such route' } }))
    const { gateway } = createTestGateway([
      anUpstream({ name: 'openai', baseUrl }),
      anUpstream({ name: 'anthropic', kind: 'anthropic', baseUrl: origin }),
    ])
    for (const name of ['openai', 'anthropic']) {
      const call = aCall({
        api: 'count_tokens',
        body: { messages: [] },
        model: aModelAt(name),
        outputBound: null,
      })
      expect(shown(await gateway.call(call))).toEqual({
        status: 200,
        text: '{"input_tokens":9}',
        headers: { 'content-type': 'application/json', 'x-zael-upstream': name },
        charge: { of: 'request' },
      })
    }
  })

  test('by an upstream is charged one request', async () => {
    const { origin } = await startUpstream(json(200, { input_tokens: 77 }))
    const { gateway } = createTestGateway([anUpstream({ kind: 'anthropic', baseUrl: origin })])
    const call = aCall({ api: 'count_tokens', body: { messages: [] }, outputBound: null })
    expect(shown(await gateway.call(call))).toMatchObject({
      text: '{"input_tokens":77}',
      charge: { of: 'request' },
    })
  })
})
