import { readFileSync } from 'node:fs'
import type { IncomingHttpHeaders, RequestListener } from 'node:http'
import { text } from 'node:stream/consumers'
import { startServer } from './loopback-server.ts'

/** A request as a receiver of webhooks reads it. */
export interface ReceivedWebhook {
  readonly url: string
  readonly method: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Responds with each of `statuses` once, then with 204. */
export const respondWith = (...statuses: readonly number[]): RequestListener => {
  const rest = [...statuses]
  return (_, response) => response.writeHead(rest.shift() ?? 204).end()
}

/** A receiver on a free port of this machine, closed when the test ends. It reads each request before it responds. */
export const startReceiver = async (respond: RequestListener = respondWith()) => {
  const received: ReceivedWebhook[] = []
  const { origin } = await startServer(async (request, response) => {
    const { url = '', method = '', headers } = request
    received.push({ url, method, headers, body: await text(request) })
    respond(request, response)
  })
  return { origin, url: `${origin}/hooks`, received }
}

const guide = readFileSync(new URL('../../docs/alerts.md', import.meta.url), 'utf8')

/** The example of the guide in a language. */
export const exampleIn = (language: string): string =>
  new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(guide)?.[1] ?? ''

export type SignedWebhook = Pick<ReceivedWebhook, 'headers' | 'body'>

/** The result of the guide's JavaScript example, as a receiver would use it. */
export const isGenuine = async ({ headers, body }: SignedWebhook, secret: string): Promise<unknown> => {
  const code = `${exampleIn('js')}\nexport { isGenuine }`
  const module = await import(`data:text/javascript,${encodeURIComponent(code)}`)
  return module.isGenuine(headers, body, secret)
}
