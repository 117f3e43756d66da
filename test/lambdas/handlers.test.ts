import { PassThrough, Writable } from 'node:stream'
import type { LambdaContext, LambdaEvent } from 'hono/aws-lambda'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  bufferedHandler,
  type Fetching,
  type RunInvocation,
  streamingHandler,
} from '../../lambdas/handlers.ts'
import { finishResponses } from '../../lambdas/lambda-api.ts'

const eventOf = (headers: Readonly<Record<string, string>> = {}) =>
  ({
    httpMethod: 'GET',
    path: '/limits/some',
    resource: '/{proxy+}',
    pathParameters: { proxy: 'some' },
    headers: { host: 'api.example', ...headers },
    requestContext: { path: '/limits/some' },
    body: null,
  }) as unknown as LambdaEvent
const CONTEXT = {} as LambdaContext

describe('a handler with whole responses', () => {
  const responseOf = async (
    respond: (request: Request) => Response,
    headers?: Readonly<Record<string, string>>,
  ) => bufferedHandler({ fetch: (request) => respond(request) })(eventOf(headers), CONTEXT)

  test.each([
    'text/html; charset=utf-8',
    'text/event-stream; charset=utf-8',
    'text/javascript; charset=utf-8',
    'application/json',
    'application/vnd.oai.openapi+json;version=3.1',
  ])('returns %s as text', async (type) => {
    const response = await responseOf(
      () => new Response('data: ä\n\n', { headers: { 'content-type': type } }),
    )
    expect(response).toMatchObject({ statusCode: 200, isBase64Encoded: false, body: 'data: ä\n\n' })
  })

  test.each(['image/png', 'font/woff2'])('returns %s as base64', async (type) => {
    const bytes = new Uint8Array([0x89, 0xff])
    const response = await responseOf(() => new Response(bytes, { headers: { 'content-type': type } }))
    expect(response).toMatchObject({ isBase64Encoded: true, body: 'if8=' })
  })

  test('requests no compression from the app', async () => {
    const response = await responseOf(
      (request) => new Response(String(request.headers.get('accept-encoding'))),
      {
        'Accept-Encoding': 'gzip, br',
      },
    )
    expect(response).toMatchObject({ body: 'null' })
  })

  test('serves each invocation within its run, which begins with its context', async () => {
    const order: unknown[] = []
    const app: Fetching = {
      fetch() {
        order.push('app')
        return new Response('')
      },
    }
    const run: RunInvocation = async (context, serve) => {
      order.push(context)
      const served = await serve()
      order.push('ended')
      return served
    }
    await bufferedHandler(app, run)(eventOf(), CONTEXT)
    expect(order).toEqual([CONTEXT, 'app', 'ended'])
  })

  test('passes the path below the base path to the app', async () => {
    expect(await responseOf((request) => new Response(new URL(request.url).pathname))).toMatchObject({
      body: '/some',
    })
  })
})

describe('a handler that streams', () => {
  type StreamHandler = (event: LambdaEvent, stream: Writable, context: LambdaContext) => Promise<void>

  beforeEach(() => {
    vi.stubGlobal('awslambda', {
      streamifyResponse: (handler: unknown) => handler,
      HttpResponseStream: {
        from: (stream: Writable, metadata: unknown) => Object.assign(stream, { metadata }),
      },
    })
  })
  afterEach(() => vi.unstubAllGlobals())

  const handlerOf = (app: Fetching) => streamingHandler(app) as unknown as StreamHandler

  /** An app whose body never ends by itself, and a log of its events in order. */
  const endless = () => {
    const events: string[] = []
    const app: Fetching = {
      fetch: (request) => {
        request.signal.addEventListener('abort', () => events.push('signal aborted'))
        const body = new ReadableStream({
          start: (controller) => controller.enqueue(new TextEncoder().encode('first')),
          pull: () => new Promise(() => {}),
          cancel: async () => {
            events.push('upstream stopped')
            await new Promise(setImmediate)
            events.push('settled')
          },
        })
        return new Response(body)
      },
    }
    const finishing = finishResponses(
      async () => app,
      async () => void events.push('finished'),
    )
    return { app: finishing, events }
  }

  test('sends status, headers and cookies before the body, below the base path', async () => {
    const app: Fetching = {
      fetch: (request) =>
        new Response(new URL(request.url).pathname, {
          status: 201,
          headers: { 'x-a': 'b', 'set-cookie': 'c=d' },
        }),
    }
    const stream = new PassThrough()
    await handlerOf(app)(eventOf(), stream, CONTEXT)
    expect(stream).toMatchObject({
      metadata: { statusCode: 201, headers: { 'x-a': 'b' }, cookies: ['c=d'] },
      writableEnded: true,
    })
    expect(String(stream.read())).toBe('/some')
  })

  test('sends the bytes of each chunk as they are', async () => {
    const chunks = ['\u{feff}data: 1\r\n\r\n', ': heartbeat\n\n', 'data: \u{1f600}\n\n'].map((text) =>
      Buffer.from(text),
    )
    // a character in two chunks, and a byte that is no UTF-8
    const parts = [...chunks.slice(0, 2), chunks[2]?.subarray(0, 8), chunks[2]?.subarray(8), Buffer.of(0xff)]
    const body = new ReadableStream({
      start(controller) {
        for (const part of parts) controller.enqueue(part)
        controller.close()
      },
    })
    const sent: Buffer[] = []
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        sent.push(Buffer.from(chunk))
        done()
      },
    })
    await handlerOf({ fetch: () => new Response(body) })(eventOf(), stream, CONTEXT)
    expect(sent).toEqual(parts)
  })

  test('ends a response without a body', async () => {
    const stream = new PassThrough()
    await handlerOf({ fetch: () => new Response(null, { status: 204 }) })(eventOf(), stream, CONTEXT)
    expect(stream).toMatchObject({ metadata: { statusCode: 204 }, writableEnded: true })
  })

  test('waits for a reader that is slower than the app', async () => {
    const text = 'x'.repeat(100_000)
    const stream = new PassThrough({ highWaterMark: 1 })
    const handled = handlerOf({ fetch: () => new Response(text) })(eventOf(), stream, CONTEXT)
    let read = ''
    for await (const chunk of stream) read += String(chunk)
    await handled
    expect(read).toBe(text)
  })

  test('stops the upstream and settles before it resolves, if the client disconnects after the first chunk', async () => {
    const { app, events } = endless()
    const stream = new Writable({
      write(_chunk, _encoding, done) {
        done()
        this.destroy()
      },
    })
    await handlerOf(app)(eventOf(), stream, CONTEXT)
    expect(events).toEqual(['signal aborted', 'upstream stopped', 'settled', 'finished'])
  })

  test('stops a body that is ready at once after the chunk at which the client disconnected', async () => {
    let pulled = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 1
        controller.enqueue(new Uint8Array(1))
        if (pulled === 100) controller.close()
      },
    })
    const stream = new Writable({
      write(_chunk, _encoding, done) {
        done()
        this.destroy()
      },
    })
    await handlerOf({ fetch: () => new Response(body) })(eventOf(), stream, CONTEXT)
    expect(pulled).toBeLessThan(5)
  })

  test('does the same if the connection breaks with an error and its buffer is full', async () => {
    const { app, events } = endless()
    const stream = new Writable({
      highWaterMark: 1,
      write() {
        this.destroy(new Error('EPIPE'))
      },
    })
    await handlerOf(app)(eventOf(), stream, CONTEXT)
    expect(events).toEqual(['signal aborted', 'upstream stopped', 'settled', 'finished'])
  })

  test('sends nothing to a client that disconnected before the response started', async () => {
    const { app, events } = endless()
    const stream = new PassThrough()
    stream.destroy()
    await handlerOf(app)(eventOf(), stream, CONTEXT)
    expect(stream).not.toHaveProperty('metadata')
    expect(events).toEqual(['signal aborted', 'upstream stopped', 'settled', 'finished'])
  })

  test('does not treat the end of a response as a disconnected client', async () => {
    let signal: AbortSignal | undefined
    const app: Fetching = {
      fetch: (request) => {
        signal = request.signal
        return new Response('all')
      },
    }
    const stream = new PassThrough()
    const closed = new Promise((resolve) => stream.once('close', resolve))
    await handlerOf(app)(eventOf(), stream.resume(), CONTEXT)
    await closed
    expect(signal?.aborted).toBe(false)
  })
})
