import type { IncomingMessage } from 'node:http'
import type { HeaderOf } from '../../web/client.ts'
import { ClientDisconnected } from '../errors/problem.ts'

type Received = Pick<IncomingMessage, 'headers' | 'rawHeaders'>

/** Reads headers as `Request` does: all values of a repeated header, separated by `, `. */
export const headerReader = (incoming: Received): HeaderOf => {
  // Node has computed `headers` already, but it drops some of the repeated ones
  const all = isAnyRepeated(incoming) ? joined(incoming.rawHeaders) : incoming.headers
  return (name) => {
    const value = all[name]
    return Array.isArray(value) ? value.join(', ') : value
  }
}

const isAnyRepeated = ({ headers, rawHeaders }: Received): boolean => {
  let names = 0
  for (const _ in headers) names += 1
  return names * 2 < rawHeaders.length
}

const joined = (rawHeaders: readonly string[]): Readonly<Record<string, string>> => {
  const all: Record<string, string> = Object.create(null)
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = [rawHeaders[at]?.toLowerCase(), rawHeaders[at + 1]]
    const before = all[name]
    all[name] = before === undefined ? value : `${before}, ${value}`
  }
  return all
}

/** A Host that Hono's adapter accepts without parsing it, or a local one. Others may be invalid, which the app decides. */
const USUAL_HOST =
  /^([a-z\d._-]+(:([1-5]\d{3,4}|[6-9]\d{3}))?|(localhost|127\.0\.0\.1|\[::1\])(:([1-5]?\d{1,4}|6[0-4]\d{3}))?)$/

/**
 * The length of the body in bytes, which Node's parser enforces; 0 if there is none, its length is not declared, the client
 * waits for 100 Continue, or the Host is unusual.
 */
export const usualLength = ({ headers }: Pick<IncomingMessage, 'headers'>): number => {
  const { host = '', expect, 'transfer-encoding': encoding, 'content-length': length } = headers
  if (expect !== undefined || encoding !== undefined || length === undefined) return 0
  return USUAL_HOST.test(host) ? Number(length) : 0
}

const decoder = new TextDecoder()

/**
 * Calls `onText` with the text of a body of `length` bytes when the last of them arrives, which is sooner than the event `end`.
 * Calls `onError` with `ClientDisconnected` if the connection closes before. Calls one of them, once.
 */
export const readText = (
  incoming: IncomingMessage,
  length: number,
  onText: (text: string) => void,
  onError: (error: ClientDisconnected) => void,
): void => {
  let before: Buffer[] | undefined
  let missing = length
  const onClose = (): void => {
    if (missing > 0) onError(new ClientDisconnected({ cause: incoming.errored }))
  }
  if (incoming.destroyed) onClose()
  else incoming.on('close', onClose)
  incoming.on('data', (chunk: Buffer) => {
    missing -= chunk.length
    if (missing === 0)
      onText(decoder.decode(before === undefined ? chunk : Buffer.concat([...before, chunk])))
    else if (before === undefined) before = [chunk]
    else before.push(chunk)
  })
}
