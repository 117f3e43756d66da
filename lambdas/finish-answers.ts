import { Hono } from 'hono'
import type { LambdaContext, LambdaEvent } from 'hono/aws-lambda'

/** What the adapter hands to the app with a request. */
interface LambdaBindings {
  readonly Bindings: { readonly event: LambdaEvent; readonly lambdaContext: LambdaContext }
}

/** An app, as far as it matters here. */
interface Fetching {
  fetch(request: Request, env: unknown): Response | Promise<Response>
}

async function* thenFinish(body: ReadableStream<Uint8Array>, finish: () => Promise<void>) {
  try {
    yield* body
  } finally {
    await finish()
  }
}

/**
 * An app that answers as the one that `appNow` gives, and lets `finish` run before the last byte of each answer, also
 * of one that streams or is aborted: on Lambda nothing runs after it. `finish` must not throw.
 */
export const finishAnswers = (
  appNow: () => Promise<Fetching>,
  finish: () => Promise<void>,
): Hono<LambdaBindings> =>
  new Hono<LambdaBindings>().all('*', async (c) => {
    const app = await appNow()
    const answer = await app.fetch(c.req.raw, c.env)
    if (answer.body === null) await finish()
    else return new Response(ReadableStream.from(thenFinish(answer.body, finish)), answer)
    return answer
  })
