import { Hono } from 'hono'
import type { Fetching } from './handlers.ts'

/** The body, and `finish` before its end, also when it is cancelled or fails. */
const thenFinish = (body: ReadableStream<Uint8Array>, finish: () => Promise<void>) => {
  const reader = body.getReader()
  let isCancelled = false
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read().catch(async (error: unknown) => {
        await finish()
        throw error
      })
      if (isCancelled) return
      if (!done) return controller.enqueue(value)
      await finish()
      controller.close()
    },
    // At once, although a read may be under way: an upstream that is silent must be stopped too.
    async cancel(reason) {
      isCancelled = true
      await reader.cancel(reason).finally(finish)
    },
  })
}

/**
 * An app that answers as the one that `appNow` gives, and lets `finish` run before the last byte of each answer, also
 * of one that streams or is aborted: on Lambda nothing runs after it. `finish` must not throw.
 */
export const finishAnswers = (
  appNow: () => Promise<Fetching>,
  finish: () => Promise<void>,
): Hono<{ Bindings: object }> =>
  new Hono<{ Bindings: object }>().all('*', async (c) => {
    const app = await appNow()
    const answer = await app.fetch(c.req.raw, c.env)
    if (answer.body === null) await finish()
    else return new Response(thenFinish(answer.body, finish), answer)
    return answer
  })
