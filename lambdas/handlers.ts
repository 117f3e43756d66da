import type { Writable } from 'node:stream'
import { Hono } from 'hono'
import { handle, type LambdaContext, type LambdaEvent } from 'hono/aws-lambda'
import { rootLinks, withoutBasePath } from './events.ts'

/** The part of an app that handlers need. */
export interface Fetching {
  fetch(request: Request, env: unknown): Response | Promise<Response>
}

/** Runs what serves an invocation. An environment may serve several at a time. */
export type RunInvocation = <T>(
  context: Pick<LambdaContext, 'getRemainingTimeInMillis'>,
  serve: () => Promise<T>,
) => Promise<T>

const runDirectly: RunInvocation = (_context, serve) => serve()

/** Hono converts the event to a request; `respond` handles it with the platform's bindings. */
const invoke = (
  event: LambdaEvent,
  context: LambdaContext,
  respond: (request: Request, env: object) => Response | Promise<Response>,
) => {
  const links = rootLinks(event)
  const entry = new Hono<{ Bindings: object }>().all('*', (c) =>
    respond(c.req.raw, { ...c.env, ...(links !== undefined && { rootLinks: links }) }),
  )
  return handle(entry, { isContentTypeBinary })(withoutBasePath(event), context)
}

/** All other responses are text, which every gateway passes on unchanged. */
const isContentTypeBinary = (type: string): boolean => /^(image|font)\//i.test(type)

/**
 * A Lambda's handler that returns whole responses. They are not compressed: compressed bodies are sent as base64, which an API
 * Gateway decodes only if its binary media types and the request's `Accept` match.
 */
export const bufferedHandler =
  (app: Fetching, run: RunInvocation = runDirectly) =>
  (event: LambdaEvent, context: LambdaContext): Promise<unknown> =>
    run(context, async () =>
      invoke(event, context, (request, env) => {
        const headers = new Headers(request.headers)
        headers.delete('accept-encoding')
        return app.fetch(new Request(request, { headers }), env)
      }),
    )

/**
 * A Lambda's handler that streams. When the stream breaks, the request's signal aborts and the body is cancelled; the handler
 * resolves once the body has ended or its cancellation is complete, as nothing runs after it. AWS does not report that a client
 * has disconnected: the body is then read to its end.
 */
export const streamingHandler = (app: Fetching, run: RunInvocation = runDirectly) =>
  awslambda.streamifyResponse((event: LambdaEvent, stream: Writable, context) =>
    run(context, async () => {
      const client = watchClient(stream)
      let response = new Response(null)
      await invoke(event, context, async (request, env) => {
        response = await app.fetch(new Request(request, { signal: client.left }), env)
        return new Response(null)
      })
      await send(response, stream, client)
    }),
  )

interface Client {
  /** Aborts if the stream closes before the response has ended. */
  readonly left: AbortSignal
  /** Whether the stream is destroyed; then `left` aborts at once. `close` alone is too late: it follows all promises that are due. */
  hasLeft(): boolean
  /** The response has ended: when the stream closes now, the client has not left. */
  served(): void
}

const watchClient = (stream: Writable): Client => {
  const leaving = new AbortController()
  let isServed = false
  const hasLeft = (): boolean => {
    if (stream.destroyed && !isServed) leaving.abort()
    return leaving.signal.aborted
  }
  // A stream that is destroyed with an error closes next.
  stream.on('close', hasLeft).on('error', () => {})
  return {
    left: leaving.signal,
    hasLeft,
    served: () => {
      isServed = true
    },
  }
}

const send = async (response: Response, stream: Writable, client: Client): Promise<void> => {
  if (client.hasLeft()) return response.body?.cancel()
  const out = awslambda.HttpResponseStream.from(stream, metadataOf(response))
  if (response.body !== null) await copy(response.body, out, client)
  // The metadata goes out with the first write.
  else out.write('')
  if (client.hasLeft()) return
  client.served()
  out.end()
}

const metadataOf = ({ status, headers }: Response) => {
  const cookies = headers.getSetCookie()
  const others = [...headers].filter(([name]) => name !== 'set-cookie')
  return { statusCode: status, headers: Object.fromEntries(others), cookies }
}

const copy = async (body: ReadableStream<Uint8Array>, out: Writable, client: Client): Promise<void> => {
  const reader = body.getReader()
  let cancelled: Promise<void> | undefined
  client.left.addEventListener('abort', () => {
    cancelled = reader.cancel()
  })
  // Cancelling ends a read in progress.
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    if (client.hasLeft()) break
    if (!out.write(value)) await drained(out)
  }
  await cancelled
}

/** Resolves when more can be written, or when the stream is closed. */
const drained = (out: Writable): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      out.off('drain', done).off('close', done)
      resolve()
    }
    out.on('drain', done).on('close', done)
    if (out.destroyed) done()
  })
