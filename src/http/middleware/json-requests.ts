import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { ZaelError } from '../../core/errors.ts'

const JSON_TYPE = /^application\/(json|[\w.-]+\+json)\s*(;|$)/i

/** Refuses bodies over `maxBytes`. */
export const limitedBody = (maxBytes: number): MiddlewareHandler =>
  bodyLimit({
    maxSize: maxBytes,
    onError: () => {
      throw new ZaelError('too_large', `The body must be at most ${maxBytes} bytes long`)
    },
  })

/** Refuses bodies that do not say they are JSON. */
export const jsonOnly: MiddlewareHandler = async (c, next) => {
  if (hasContent(c) && !JSON_TYPE.test(c.req.header('content-type') ?? '')) {
    throw new ZaelError('unsupported_media_type', 'Content-Type must be application/json')
  }
  await next()
}

/**
 * A Node server shows a body on every request that might have one. Over HTTP/1.1 one that has neither a length nor a
 * transfer encoding has none: a DELETE of most clients.
 */
const hasContent = (c: Context): boolean => {
  if (c.req.raw.body === null) return false
  const length = c.req.header('content-length')
  if (length !== undefined) return length !== '0'
  const isNodeServer = 'incoming' in Object(c.env)
  return !isNodeServer || c.req.header('transfer-encoding') !== undefined
}
