import { createLocalJWKSet, type JWK, type LocalJWKSet } from 'jose'
import { errorMessage, ZaelError } from '../../core/model/errors.ts'
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

export const createKeySet = (options: KeySetOptions): KeySet => {
  const { name, clock } = options
  const fetching = createFetching(options)
  /** When keys were last fetched because of an unknown one. */
  let unknownNs: bigint | undefined

  const isWithin = (span: bigint, since: bigint | undefined): boolean =>
    since !== undefined && clock.monotonic() - since < span
  /** Requests do not wait for the renewal of keys that they can use; its failure is logged. */
  const renewIfOld = (): void => {
    const last = fetching.last()
    if (fetching.isPending() || isWithin(last?.failed ? REFETCH_NS : MAX_AGE_NS, last?.atNs)) return
    fetching.fetch().catch(() => undefined)
  }
  /** Without a fetch: the unknown key may be a new one of an issuer that could not be reached. */
  const unchanged = (lacking: Keys): Keys => {
    if (fetching.last()?.failed) throw unavailable(name)
    return lacking
  }
  return {
    cached() {
      const keys = fetching.keys()
      if (keys !== undefined) renewIfOld()
      return keys
    },
    async first() {
      const [keys, last] = [fetching.keys(), fetching.last()]
      if (keys !== undefined) return keys
      if (!fetching.isPending() && last?.failed && isWithin(RETRY_NS, last.atNs)) throw unavailable(name)
      return fetching.fetch()
    },
    async beyond(lacking, isFirst) {
      const keys = fetching.keys()
      if (isFirst) unknownNs ??= fetching.last()?.atNs
      if (keys !== undefined && keys !== lacking) return keys
      if (!fetching.isPending() && isWithin(REFETCH_NS, unknownNs)) return unchanged(lacking)
      unknownNs = clock.monotonic()
      return fetching.fetch()
    },
  }
}

/** The last fetch that has ended: when it began, by the monotonic clock, and whether it failed. */
interface LastFetch {
  readonly atNs: bigint
  readonly failed: boolean
}

/** Fetches the keys and keeps the last ones, also if they cannot be fetched again. */
const createFetching = ({ name, fetchKeys, clock, logger }: KeySetOptions) => {
  let keys: Keys | undefined
  let last: LastFetch | undefined
  let pending: Promise<Keys> | undefined

  const start = async (): Promise<Keys> => {
    const atNs = clock.monotonic()
    try {
      const text = await fetchKeys()
      keys = keys?.text === text ? keys : { text, select: createLocalJWKSet({ keys: usableKeys(text) }) }
      last = { atNs, failed: false }
      return keys
    } catch (error) {
      last = { atNs, failed: true }
      logger.warn('keys of a token issuer not fetched', { issuer: name, reason: errorMessage(error) })
      throw unavailable(name)
    }
  }
  return {
    keys: () => keys,
    last: () => last,
    isPending: () => pending !== undefined,
    /** Concurrent requests share one fetch. */
    fetch(): Promise<Keys> {
      pending ??= start().finally(() => {
        pending = undefined
      })
      return pending
    },
  }
}

const unavailable = (name: string): ZaelError =>
  new ZaelError('unavailable', `The keys of the token issuer ${name} cannot be fetched; please try again`)

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
