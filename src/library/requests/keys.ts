import { configBehind, createCircuit } from '../../core/charge/circuit.ts'
import { invalid, ZaelError } from '../../core/model/errors.ts'
import { type ApiKey, isUsable } from '../../core/model/key.ts'
import { SECOND_NS } from '../../core/model/time.ts'
import { createCachedReads } from '../../core/ports/cached-reads.ts'
import type { ConfigStore } from '../../core/ports/config-store.ts'
import type { Clock, Logger } from '../../core/ports/platform.ts'
import { lruCaches, sha256, systemClock } from '../../platform/runtime.ts'
import {
  addressBehind,
  addressBeyond,
  type ClientAddress,
  presentedApiKey,
  presentedKey,
  runtimeWithoutAddresses,
} from '../../web/client.ts'
import { addressGroup } from '../../web/ip-address.ts'
import { checkOptions, isPending, type OptionNames } from '../arguments.ts'
import type { RequestFacts } from './costs.ts'
import { firstIdentity } from './jwt-identity.ts'

/** Returns the key of the caller; undefined if the request contains none. The number 42 and the text '42' are one key. */
export type KeyFunction<Native = unknown> = (
  request: RequestFacts<Native>,
) => string | number | undefined | Promise<string | number | undefined>

export interface ClientIpOptions {
  /**
   * The number of proxies before this process, or their addresses and networks (`10.0.0.0/8`). Only the entries that they add
   * to X-Forwarded-For are trusted, read from the right. Default: `req.ip` of Express if the app sets `trust proxy`, else none,
   * and the header is ignored. 0 states that there is no proxy, and suppresses the warning about an ignored header.
   */
  readonly trustedProxies?: number | readonly string[]
}

/** 128 bits, enough to avoid collisions. */
const HASH_LENGTH = 32

/**
 * Limits each client address; for IPv6 each /64, the range of one client. Throws `ZaelError` for an unknown or invalid option,
 * and on runtimes that provide no addresses. Logs one warning if all clients may share one limit: X-Forwarded-For arrives
 * without a trusted proxy, or there is no address.
 *
 * @example
 * byClientIp({ trustedProxies: ['10.0.0.0/8'] })
 */
export const byClientIp = (options: ClientIpOptions = {}): KeyFunction => {
  checkOptions<ClientIpOptions>(options, CLIENT_IP_OPTIONS)
  const { trustedProxies } = options
  if (trustedProxies === undefined) checkRuntime()
  const addressOf = clientAddress(trustedProxies ?? 0)
  const warn = createWarnOnce(trustedProxies)
  return ({ connection, clientAddress, header, logger }) => {
    const nearest = (trustedProxies === undefined && clientAddress) || connection
    const forwardedFor = header('x-forwarded-for')
    const address = addressOf({ connection: nearest, forwardedFor })
    if (address === connection) warn(logger, connection, forwardedFor)
    return addressGroup(address)
  }
}

const CLIENT_IP_OPTIONS: OptionNames<ClientIpOptions> = { trustedProxies: true }

const checkRuntime = (): void => {
  const runtime = runtimeWithoutAddresses()
  if (runtime === undefined) return
  throw invalid(
    'key',
    `be given: ${runtime} provides no client addresses; for example ` +
      "key: ({ header }) => header('cf-connecting-ip'), or byClientIp({ trustedProxies: 1 }) behind a proxy",
  )
}

/** Does not warn about an ignored header if `trustedProxies` states that there is no proxy. */
const createWarnOnce = (trustedProxies: ClientIpOptions['trustedProxies']) => {
  const isWithoutProxy =
    trustedProxies === 0 || (Array.isArray(trustedProxies) && trustedProxies.length === 0)
  let isWarned = false
  return (logger: Logger | undefined, connection: string, forwardedFor: string | undefined): void => {
    if (isWarned || logger === undefined) return
    // API Gateway sends the address of the connection, if there is no other
    const isIgnored = forwardedFor !== undefined && forwardedFor !== connection && !isWithoutProxy
    if (!isIgnored && connection !== 'unknown') return
    isWarned = true
    if (isIgnored) logger.warn('x-forwarded-for ignored', { connection, hint: FORWARDED_HINT })
    else logger.warn('client address unknown', { hint: UNKNOWN_HINT })
  }
}

const FORWARDED_HINT =
  'no trusted proxy has sent it, so clients behind a proxy share one limit; set byClientIp({ trustedProxies }), ' +
  'or trust proxy in Express; trustedProxies: 0 states that there is no proxy'

const UNKNOWN_HINT = 'all clients share one limit; set key to a function that names the caller'

/**
 * Limits each API key: `X-API-Key`, else `api-key`, else `Authorization: Bearer`, hashed. Does not verify keys: reject requests
 * with invented keys before, or limit addresses as well.
 */
export const byApiKey = (): KeyFunction => (request) => {
  const token = presentedApiKey((name) => request.header(name))
  return token && `key:${sha256(token).slice(0, HASH_LENGTH)}`
}

/**
 * The first key that a request has.
 *
 * @example
 * firstOf(byApiKey(), byClientIp())
 */
export const firstOf = <Native>(...keys: readonly KeyFunction<Native>[]): KeyFunction<Native> => {
  if (keys.length === 0 || keys.some((keyOf) => typeof keyOf !== 'function')) {
    throw invalid('firstOf()', 'get one or more functions such as byApiKey()')
  }
  const firstFrom = (request: RequestFacts<Native>, at: number): ReturnType<KeyFunction<Native>> => {
    const key = keys[at]?.(request)
    if (isPending(key)) return key.then((found) => found ?? firstFrom(request, at + 1))
    return key ?? (at < keys.length ? firstFrom(request, at + 1) : undefined)
  }
  return Object.assign((request: RequestFacts<Native>) => firstFrom(request, 0), {
    identityOf: (native: unknown) => firstIdentity(keys, native),
  })
}

const clientAddress = (trusted: number | readonly string[]): ClientAddress => {
  if (Array.isArray(trusted)) return beyond(trusted)
  if (typeof trusted !== 'number' || !Number.isSafeInteger(trusted) || trusted < 0) {
    throw invalid('trustedProxies', 'be a whole number of at least 0, or a list of addresses and networks')
  }
  return addressBehind(trusted)
}

const beyond = (proxies: readonly string[]): ClientAddress => {
  try {
    return addressBeyond(proxies)
  } catch (error) {
    if (error instanceof RangeError) throw invalid('trustedProxies', `contain networks: ${error.message}`)
    throw error
  }
}

/** How long a revoked key may still be accepted. */
const VALID_KEY_MAX_AGE_NS = 30n * SECOND_NS

/** How long a new key may still be rejected. */
const MISSING_KEY_MAX_AGE_NS = SECOND_NS

const MAX_KEYS = 10_000

/**
 * The entity of a deployed zael whose API key the request contains (`X-API-Key`, else `Authorization: Bearer`), for a limiter
 * with `config: 'table'`. The response to a request without a valid key is 401. Limit addresses before it, because each
 * invented key costs a read. While the store is unavailable, cached keys stay valid and other requests get 503.
 *
 * @example
 * const store = dynamoDbStore({ tableName: 'ZAEL-demo' })
 * app.use(rateLimit({ limiter: createRateLimiter({ store, config: 'table' }), key: byZaelKey(store) }))
 */
export const byZaelKey = (
  store: { readonly config: ConfigStore },
  options: { readonly clock?: Clock } = {},
): KeyFunction => {
  checkOptions<typeof options>(options, { clock: true })
  if (store.config === undefined)
    throw invalid('store', 'be a table, such as dynamoDbStore() of zael/dynamodb')
  const { clock = systemClock } = options
  const config = configBehind(createCircuit(clock), store.config)
  const keys = createCachedReads<string, ApiKey | undefined>({
    clock,
    caches: lruCaches,
    max: MAX_KEYS,
    isStaleAllowed: true,
    keyOf: (hash) => hash,
    read: (hash) => config.apiKey(hash),
  })
  return async (request) => {
    const credential = presentedKey((name) => request.header(name))
    if (credential === 'conflict') throw unauthorized('The request contains different keys; send one of them')
    if (credential === undefined) throw unauthorized('An API key is needed')
    const hash = sha256(credential.token)
    const key = (await keys.get(hash, VALID_KEY_MAX_AGE_NS)) ?? (await keys.get(hash, MISSING_KEY_MAX_AGE_NS))
    if (key === undefined || !isUsable(key, clock.now())) throw unauthorized('The API key is not valid')
    return key.entityId
  }
}

const unauthorized = (message: string): ZaelError => new ZaelError('unauthorized', message)
