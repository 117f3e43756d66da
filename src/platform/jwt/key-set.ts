import { createLocalJWKSet, type JWK, type LocalJWKSet } from 'jose'
import { ZaelError } from '../../core/model/errors.ts'
import { SECOND_NS } from '../../core/model/time.ts'
import type { Clock, Logger } from '../../core/ports/platform.ts'
import { type FetchKeys, KeysNotFetched } from './fetch-keys.ts'

/** The keys of one response. The same object as long as the issuer has the same keys. */
export interface Keys {
  /** Selects the key of a token by its header. */
  readonly select: LocalJWKSet
  readonly text: string
}

/** The keys of an issuer, fetched on demand, and again every ten minutes and for unknown keys. */
export interface KeySet {
  /** The cached keys; undefined: none were fetched yet. */
  cached(): Keys | undefined
  /** Fetches keys, if there are none. Rejects with `unavailable`. */
  first(): Promise<Keys>
  /**
   * For a key that `keys` does not contain: other keys if the issuer has any, else the same. Fetches at most once a minute, and not
   * if `first` has just fetched them (`isFirst`). Rejects with `unavailable` if the last fetch has failed.
   */
  beyond(keys: Keys, isFirst: boolean): Promise<Keys>
}

export interface KeySetOptions {
  /** Names the issuer in logs and errors. */
  readonly name: string
  readonly fetchKeys: FetchKeys
  readonly clock: Pick<Clock, 'monotonic'>
  readonly logger: Logger
}

/** An issuer withdraws a key that was stolen: from then on it is accepted this long. */
const MAX_AGE_NS = 600n * SECOND_NS

/** The least time between two fetches for unknown keys, and between two attempts to renew cached ones. */
const REFETCH_NS = 60n * SECOND_NS

/** The least time between two attempts while there are no keys: each may take as long as its timeout. */
const RETRY_NS = 5n * SECOND_NS

export const createKeySet = ({ name, fetchKeys, clock, logger }: KeySetOptions): KeySet => {
  let keys: Keys | undefined
  /** When the last fetch began, and whether it failed. */
  let fetched: { readonly atNs: bigint; readonly failed: boolean } | undefined
  /** When keys were last fetched because of an unknown one. */
  let unknownNs: bigint | undefined
  let fetching: Promise<Keys> | undefined

  const isWithin = (span: bigint, since: bigint | undefined): boolean =>
    since !== undefined && clock.monotonic() - since < span

  const start = async (): Promise<Keys> => {
    const atNs = clock.monotonic()
    try {
      const text = await fetchKeys()
      keys = keys?.text === text ? keys : { text, select: createLocalJWKSet({ keys: usableKeys(text) }) }
      fetched = { atNs, failed: false }
      return keys
    } catch (error) {
      fetched = { atNs, failed: true }
      logger.warn('keys of a token issuer not fetched', { issuer: name, reason: reasonOf(error) })
      throw unavailable(name)
    }
  }
  /** Concurrent requests share one fetch. */
  const fetchOnce = (): Promise<Keys> => {
    fetching ??= start().finally(() => {
      fetching = undefined
    })
    return fetching
  }
  /** Requests do not wait for the renewal of keys that they can use; its failure is logged. */
  const renewIfOld = (): void => {
    if (fetching !== undefined || isWithin(fetched?.failed ? REFETCH_NS : MAX_AGE_NS, fetched?.atNs)) return
    fetchOnce().catch(() => undefined)
  }
  const mayRefetch = (): boolean => fetching !== undefined || !isWithin(REFETCH_NS, unknownNs)
  const refetch = (): Promise<Keys> => {
    unknownNs = clock.monotonic()
    return fetchOnce()
  }
  /** The unknown key may be a new one of an issuer that could not be reached. */
  const unchanged = (lacking: Keys): Keys => {
    if (fetched?.failed) throw unavailable(name)
    return lacking
  }

  return {
    cached() {
      if (keys !== undefined) renewIfOld()
      return keys
    },
    async first() {
      if (keys !== undefined) return keys
      if (fetching === undefined && fetched?.failed && isWithin(RETRY_NS, fetched.atNs))
        throw unavailable(name)
      return fetchOnce()
    },
    async beyond(lacking, isFirst) {
      if (isFirst) unknownNs ??= fetched?.atNs
      if (keys !== undefined && keys !== lacking) return keys
      return mayRefetch() ? refetch() : unchanged(lacking)
    },
  }
}

const unavailable = (name: string): ZaelError =>
  new ZaelError('unavailable', `The keys of the token issuer ${name} cannot be fetched; please try again`)

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** More than any issuer has; selecting a key compares all of them. */
const MAX_KEYS = 100

/** The public keys for RS, PS and ES signatures. Throws `KeysNotFetched` if there are none. */
const usableKeys = (text: string): JWK[] => {
  const listed = listedKeys(text)
  if (listed.length > MAX_KEYS) throw new KeysNotFetched(`the key set contains more than ${MAX_KEYS} keys`)
  const usable = listed.filter(isPublicKey)
  if (usable.length === 0) throw new KeysNotFetched('the key set contains no public RSA or EC key')
  return usable
}

const listedKeys = (text: string): readonly unknown[] => {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && 'keys' in value && Array.isArray(value.keys))
      return value.keys
  } catch {
    // reported below
  }
  throw new KeysNotFetched('the key set is not an object of JSON with a list of keys')
}

const isPublicKey = (key: unknown): key is JWK =>
  typeof key === 'object' &&
  key !== null &&
  'kty' in key &&
  (key.kty === 'RSA' || key.kty === 'EC') &&
  !('d' in key)
