import type { MiddlewareHandler } from 'hono'
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
  const type = c.req.header('content-type')
  if (c.req.raw.body !== null && hasContent(c.req.header('content-length')) && !JSON_TYPE.test(type ?? '')) {
    throw new ZaelError('unsupported_media_type', 'Content-Type must be application/json')
  }
  await next()
}

/** No length: a streamed body, which is taken to hold something. */
const hasContent = (contentLength: string | undefined): boolean => contentLength !== '0'
