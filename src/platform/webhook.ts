import { createHmac } from 'node:crypto'
import { type ClientRequest, request as httpRequest, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { WebhookAddresses } from '../core/model/alert.ts'
import { SECOND_NS } from '../core/model/time.ts'
import { type AlertMessage, DeliveryFailed } from '../core/ports/alert-store.ts'
import type { Clock } from '../core/ports/platform.ts'
import { checkedLookup, type Resolve, systemResolve, urlFault } from './webhook-addresses.ts'

export interface WebhookOptions {
  readonly addresses: WebhookAddresses
  readonly clock: Pick<Clock, 'now'>
  /** From the resolution of the name to the status. Default 10 s. */
  readonly timeoutMs?: number
  /** Default: the system's. */
  readonly resolve?: Resolve
  /** Certificates of authorities to trust, in place of those of Node. */
  readonly ca?: string
}

/** Posts a message to a receiver once. Rejects with `DeliveryFailed` unless the response has a status of 2xx. */
export type PostWebhook = (url: string, secret: string, message: AlertMessage) => Promise<void>

const DEFAULT_TIMEOUT_MS = 10_000

export const createWebhookPoster =
  (options: WebhookOptions): PostWebhook =>
  async (text, secret, message) => {
    const url = new URL(text)
    const fault = urlFault(url, options.addresses)
    if (fault !== undefined) throw new DeliveryFailed(`the URL must ${fault}`)
    const timestamp = String(options.clock.now() / SECOND_NS)
    const status = await post(url, message.body, signedHeaders(secret, timestamp, message), options)
    if (status >= 300 && status < 400)
      throw new DeliveryFailed(`the receiver responded with ${status}: redirects are not followed`)
    if (status < 200 || status >= 300) throw new DeliveryFailed(`the receiver responded with ${status}`)
  }

/** The headers of Standard Webhooks 1.0 (https://www.standardwebhooks.com), which its libraries verify. */
const signedHeaders = (secret: string, timestamp: string, { id, body }: AlertMessage) => ({
  'content-type': 'application/json',
  'user-agent': 'zael',
  'webhook-id': id,
  'webhook-timestamp': timestamp,
  'webhook-signature': `v1,${signatureOf(secret, `${id}.${timestamp}.${body}`)}`,
})

const signatureOf = (secret: string, content: string): string =>
  createHmac('sha256', keyOf(secret)).update(content).digest('base64')

const BASE64_PREFIX = 'whsec_'

/** A shorter key could be guessed from one message and its signature. */
const LEAST_KEY_BYTES = 16

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

/** What is wrong with a secret that signs, completing "<reference> must …"; undefined: nothing. */
export const signingSecretFault = (secret: string): string | undefined => {
  const isEncoded = secret.startsWith(BASE64_PREFIX)
  if (isEncoded && !BASE64.test(secret.slice(BASE64_PREFIX.length))) return 'contain base64 after whsec_'
  return keyOf(secret).length >= LEAST_KEY_BYTES
    ? undefined
    : `contain at least ${LEAST_KEY_BYTES} ${isEncoded ? 'bytes in base64 after whsec_' : 'characters'}`
}

/** A secret in the form of Standard Webhooks contains its bytes in base64; any other is a key as it is. */
const keyOf = (secret: string): Buffer =>
  secret.startsWith(BASE64_PREFIX)
    ? Buffer.from(secret.slice(BASE64_PREFIX.length), 'base64')
    : Buffer.from(secret)

/** Resolves to the status. The body of the response is not read. */
const post = (
  url: URL,
  body: string,
  headers: Readonly<Record<string, string>>,
  { addresses, resolve = systemResolve, timeoutMs = DEFAULT_TIMEOUT_MS, ca }: WebhookOptions,
): Promise<number> =>
  new Promise((done, failed) => {
    const isSecure = url.protocol === 'https:'
    const signal = AbortSignal.timeout(timeoutMs)
    const request = begin(isSecure, url, {
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      // a connection of its own: one that was kept open would skip the check of its address
      agent: false,
      lookup: checkedLookup({ allowed: addresses, isLoopbackOnly: !isSecure, resolve }),
      signal,
      ...(ca !== undefined && { ca }),
    })
    request.on('response', (response) => {
      done(response.statusCode ?? 0)
      response.destroy()
    })
    request.on('error', (error) => failed(failureOf(error, signal.aborted, timeoutMs)))
    request.end(body)
  })

const begin = (isSecure: boolean, url: URL, options: RequestOptions): ClientRequest =>
  isSecure ? httpsRequest(url, options) : httpRequest(url, options)

/** Errors of TLS have sentences about certificates as messages; their codes are shorter and contain no host. */
const failureOf = (error: Error, isTimeout: boolean, timeoutMs: number): DeliveryFailed => {
  if (error instanceof DeliveryFailed) return error
  if (isTimeout) return new DeliveryFailed(`no response within ${timeoutMs / 1000} seconds`)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  return new DeliveryFailed(`the receiver could not be reached (${code})`, { cause: error })
}
