import type { Context } from 'hono'
import { addressBehind, connectionAddress } from '../../web/client.ts'

/** The address that asks, behind as many proxies as are trusted. */
export const clientIp = (c: Context, trustedProxies: number): string =>
  addressBehind(trustedProxies)({
    connection: connectionAddress(c.env),
    forwardedFor: c.req.header('x-forwarded-for'),
  })
