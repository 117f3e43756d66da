import type { IncomingMessage } from 'node:http'
import type { HeaderOf } from '../../web/client.ts'
import { ClientDisconnected } from '../errors/problem.ts'

/** Reads headers as `Request` does: all values of a repeated header, separated by `, `. `incoming.headers` drops some of them. */
export const headerReader =
  ({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>): HeaderOf =>
  (name) => {
    let found: string | undefined
    for (let at = 0; at < rawHeaders.length; at += 2) {
      const given = rawHeaders[at]
      if (given === undefined || given.length !== name.length || given.toLowerCase() !== name) continue
      const value = rawHeaders[at + 1] ?? ''
      found = found === undefined ? value : `${found}, ${value}`
    }
    return found
  }

/** A name or an address, and a port below 65,000. Others may be invalid, which the app decides. */
const USUAL_HOST = /^([\w.-]+|\[[\da-f:]+\])(:(\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}))?$/i

/**
 * The length of the body in bytes, which Node's parser enforces; 0 if there is none, its length is not declared, the client
 * waits for 100 Continue, or the Host is unusual.
 */
export const usualLength = ({ headers }: Pick<IncomingMessage, 'headers'>): number => {
  const { host = '', expect, 'transfer-encoding': encoding, 'content-length': length } = headers
  if (expect !== undefined || encoding !== undefined || length === undefined) return 0
  return USUAL_HOST.test(host) ? Number.parseInt(length, 10) : 0
}

const decoder = new TextDecoder()

/** The text of a body of known length. Rejects with `ClientDisconnected` if the connection closes before its end. */
export const readText = (incoming: IncomingMessage): Promise<string> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => resolve(decoder.decode(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))))
    incoming.on('close', () => {
      if (!incoming.readableEnded) reject(new ClientDisconnected({ cause: incoming.errored }))
    })
  })
