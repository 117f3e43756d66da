import { createHash } from 'node:crypto'
import { invalid, ZaelError } from '../../core/model/errors.ts'
import { type ApiKey, isUsable } from '../../core/model/key.ts'
import { SECOND_NS } from '../../core/model/time.ts'
import type { ConfigStore } from '../../core/ports/config-store.ts'
import type { Clock } from '../../core/ports/platform.ts'
import { createItemCache } from '../../core/resolve/config-cache.ts'
import { lruCaches, systemClock } from '../../platform/runtime.ts'
import { presentedKey } from '../../web/client.ts'
import { checkOptions } from '../arguments/known-options.ts'
import type { KeyFunction } from './key-functions.ts'

/** How long a revoked key may still pass. */
const KNOWN_MAX_AGE_NS = 30n * SECOND_NS
/** How long a new key may still be refused. */
const UNKNOWN_MAX_AGE_NS = SECOND_NS
const MAX_KEYS = 10_000

/**
 * The entity of a deployed zael whose API key the request shows (`X-API-Key`, else `Authorization: Bearer`), for a limiter
 * with `config: 'table'`. A request without a valid key is answered with 401. Limit addresses before it: each key that is
 * invented costs a read.
 *
 * @example
 * const store = dynamoDbStore({ tableName: 'ZAEL-demo' })
 * app.use(rateLimit({ limiter: createRateLimiter({ store, config: 'table' }), key: byZaelKey(store) }))
 */
export const byZaelKey = (
  { config }: { readonly config: ConfigStore },
  options: { readonly clock?: Clock } = {},
): KeyFunction => {
  checkOptions<typeof options>(options, { clock: true })
  if (config === undefined) throw invalid('store', 'be a table, such as dynamoDbStore() of zael/dynamodb')
  const { clock = systemClock } = options
  const keys = createItemCache<ApiKey | undefined>(clock, lruCaches, MAX_KEYS)
  const lookUp = async (hash: string, maxAgeNs: bigint): Promise<ApiKey | undefined> =>
    (await keys.read([hash], maxAgeNs, async () => [await config.apiKey(hash)]))[0]?.value
  return async (request) => {
    const credential = presentedKey((name) => request.header(name))
    if (credential === 'conflict') throw unauthorized('The request contains different keys; send one of them')
    if (credential === undefined) throw unauthorized('An API key is needed')
    const hash = createHash('sha256').update(credential.token).digest('hex')
    const key = (await lookUp(hash, KNOWN_MAX_AGE_NS)) ?? (await lookUp(hash, UNKNOWN_MAX_AGE_NS))
    if (key === undefined || !isUsable(key, clock.now())) throw unauthorized('The API key is not valid')
    return key.entityId
  }
}

const unauthorized = (message: string): ZaelError => new ZaelError('unauthorized', message)
