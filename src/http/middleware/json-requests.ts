import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { ZaelError } from '../../core/errors.ts'

/** A content type that says JSON. */
export const JSON_TYPE = /^application\/(json|[\w.-]+\+json)\s*(;|$)/i

/**
 * Refuses bodies over `maxBytes`, and those that do not say they are JSON. A body that tells its length is not touched: that
 * would make a stream of it.
 */
export const jsonRequests = (maxBytes: number): MiddlewareHandler => {
  const refuse = (): never => {
    throw new ZaelError('too_large', `The body must be at most ${maxBytes} bytes long`)
  }
  const whileReading = bodyLimit({ maxSize: maxBytes, onError: refuse })
  return (c, next) => {
    const length = toldLength(c)
    if (length === undefined) return whileReading(c, () => afterCheck(c, c.req.raw.body !== null, next))
    return length > maxBytes ? refuse() : afterCheck(c, length !== 0, next)
  }
}

const afterCheck = (c: Context, hasContent: boolean, next: () => Promise<void>): Promise<void> => {
  if (hasContent && !JSON_TYPE.test(c.req.header('content-type') ?? '')) {
    throw new ZaelError('unsupported_media_type', 'Content-Type must be application/json')
  }
  return next()
}

/**
 * The length in bytes that the headers tell, which an HTTP/1.1 server holds the body to; undefined: only reading tells.
 * Without a length and a transfer encoding a Node server's request has no body, whatever its method: a DELETE of most clients.
 */
const toldLength = (c: Context): number | undefined => {
  if (c.req.header('transfer-encoding') !== undefined) return undefined
  const length = c.req.header('content-length')
  if (length !== undefined) return Number.parseInt(length, 10)
  return isNodeServer(c) ? 0 : undefined
}

const isNodeServer = (c: Context): boolean => typeof c.env === 'object' && 'incoming' in c.env
