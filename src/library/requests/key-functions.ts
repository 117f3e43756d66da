import { createHash } from 'node:crypto'
import { invalid } from '../../core/errors.ts'
import { addressBehind, addressBeyond, type ClientAddress } from '../../http/client/client-address.ts'
import { addressGroup } from '../../http/client/ip-address.ts'
import { presentedApiKey } from '../../http/client/presented-key.ts'
import type { RequestFacts } from './request-facts.ts'

/** Says who asks; undefined where a request tells nothing of it. */
export type KeyFunction<Native = unknown> = (
  request: RequestFacts<Native>,
) => string | undefined | Promise<string | undefined>

export interface ClientIpOptions {
  /**
   * How many proxies stand before this process, or their addresses and networks (`10.0.0.0/8`). Only what they have written
   * into X-Forwarded-For is believed, read from the right. Default: none, and the header counts for nothing.
   */
  readonly trustedProxies?: number | readonly string[]
}

/** Enough that no two keys meet: 128 bits. */
const HASH_LENGTH = 32

/**
 * Limits each client's address; of IPv6 each /64, which is what one client has at hand.
 *
 * @example
 * byClientIp({ trustedProxies: ['10.0.0.0/8'] })
 */
export const byClientIp = ({ trustedProxies = 0 }: ClientIpOptions = {}): KeyFunction => {
  const addressOf = clientAddress(trustedProxies)
  return ({ connection, header }) =>
    addressGroup(addressOf({ connection, forwardedFor: header('x-forwarded-for') }))
}

/**
 * Limits each API key: `X-API-Key`, else `api-key`, else `Authorization: Bearer`, hashed. It does not say whether a key is valid: let
 * requests with invented keys fail before they come here, or limit addresses as well.
 */
export const byApiKey = (): KeyFunction => (request) => {
  const token = presentedApiKey((name) => request.header(name))
  return token && `key:${sha256(token).slice(0, HASH_LENGTH)}`
}

/**
 * The first of several keys that a request has.
 *
 * @example
 * firstOf(byApiKey(), byClientIp())
 */
export const firstOf =
  <Native>(...keys: readonly KeyFunction<Native>[]): KeyFunction<Native> =>
  async (request) => {
    for (const keyOf of keys) {
      const key = await keyOf(request)
      if (key !== undefined) return key
    }
    return undefined
  }

const clientAddress = (trusted: number | readonly string[]): ClientAddress => {
  if (typeof trusted !== 'number') return beyond(trusted)
  if (!Number.isSafeInteger(trusted) || trusted < 0) {
    throw invalid('trustedProxies', 'be a whole number of at least 0, or a list of addresses and networks')
  }
  return addressBehind(trusted)
}

const beyond = (proxies: readonly string[]): ClientAddress => {
  try {
    return addressBeyond(proxies)
  } catch (error) {
    if (error instanceof RangeError) throw invalid('trustedProxies', `hold networks: ${error.message}`)
    throw error
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
