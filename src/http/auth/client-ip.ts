import { isIPv6 } from 'node:net'
import type { Context } from 'hono'

type Fields = Readonly<Record<string, unknown>>

/**
 * The address that asks. Each trusted proxy has appended the address it saw to X-Forwarded-For, so only the last
 * `trustedProxies` entries can be believed; with none, it is the address of the connection.
 */
export const clientIp = (c: Context, trustedProxies: number): string => {
  const connection = connectionAddress(c.env)
  if (trustedProxies === 0) return connection
  const hops = (c.req.header('x-forwarded-for') ?? '').split(',').map((hop) => hop.trim())
  return hops.at(-trustedProxies) || connection
}

/** What one client can easily change of its address is left out: an IPv6 host owns its /64. */
export const addressGroup = (ip: string): string => {
  if (!isIPv6(ip)) return ip
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)
  if (mapped?.[1] !== undefined) return mapped[1]
  const [head = '', tail] = ip.toLowerCase().split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length
  return [...left, ...Array.from({ length: zeros }, () => '0'), ...right].slice(0, 4).join(':')
}

/** A Node server hands over its socket, API Gateway and function URLs their request context. */
const connectionAddress = (env: unknown): string => {
  const candidates = [
    at(env, 'incoming', 'socket', 'remoteAddress'),
    at(env, 'requestContext', 'identity', 'sourceIp'),
    at(env, 'requestContext', 'http', 'sourceIp'),
    at(env, 'event', 'requestContext', 'identity', 'sourceIp'),
    at(env, 'event', 'requestContext', 'http', 'sourceIp'),
  ]
  return candidates.find((address) => typeof address === 'string') ?? 'unknown'
}

const at = (value: unknown, ...path: readonly string[]): string | undefined => {
  let here = value
  for (const key of path) here = isFields(here) ? here[key] : undefined
  return typeof here === 'string' ? here : undefined
}

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null
