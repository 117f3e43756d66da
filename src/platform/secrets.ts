import { hash, randomBytes, randomUUID } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { MS_NS } from '../core/model/time.ts'
import type { Clock, Logger, Secrets } from '../core/ports/platform.ts'

const PREFIX = 'zk_'

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

const BASE = BigInt(DIGITS.length)

/** Digits that 256 and 32 bits take at most. */
const RANDOM_LENGTH = 43

const CHECKSUM_LENGTH = 6

const base62 = (value: bigint, length: number): string => {
  let digits = ''
  for (let rest = value; rest > 0n; rest /= BASE) digits = DIGITS.charAt(Number(rest % BASE)) + digits
  return digits.padStart(length, '0')
}

const checksum = (text: string): string => base62(BigInt(crc32(text)), CHECKSUM_LENGTH)

/**
 * Secrets of 256 random bits: `zk_`, 43 base-62 digits and a checksum of 6 (CRC-32 of everything before it), by which
 * scanners of source code recognize real secrets.
 */
export const randomSecrets: Secrets = {
  create() {
    const body = PREFIX + base62(BigInt(`0x${randomBytes(32).toString('hex')}`), RANDOM_LENGTH)
    return body + checksum(body)
  },
  hash: (secret) => hash('sha256', secret),
  id: () => randomUUID(),
}

/** Secrets that rarely change. */
export interface SecretValues {
  /**
   * The values, in the order of the ids; the same array until one changes. If they cannot be read again, the last values
   * are returned and a warning is logged. Throws if they were never read.
   */
  read(): Promise<readonly string[]>
}

export interface SecretValuesOptions {
  readonly ids: readonly string[]
  /** Reads one secret. */
  readonly fetch: (id: string) => Promise<string>
  readonly maxAgeMs: number
  readonly clock: Clock
  readonly logger: Logger
}

interface CachedValues {
  readonly values: readonly string[]
  /** Monotonic, ns. */
  readonly readAt: bigint
}

/** Caches secrets for `maxAgeMs`. */
export const createSecretValues = (options: SecretValuesOptions): SecretValues => {
  const { ids, fetch, clock, logger } = options
  const maxAgeNs = BigInt(options.maxAgeMs) * MS_NS
  let cached: CachedValues | undefined

  const fetchAll = async (): Promise<readonly string[]> => {
    const values = await Promise.all(ids.map(fetch))
    const last = cached?.values
    return last !== undefined && values.every((value, i) => value === last[i]) ? last : values
  }

  return {
    async read() {
      const now = clock.monotonic()
      if (cached !== undefined && now - cached.readAt < maxAgeNs) return cached.values
      const values = await fetchAll().catch((error: unknown) => {
        if (cached === undefined) throw error
        logger.warn('secrets not read: the last values remain valid', { error })
        return cached.values
      })
      cached = { values, readAt: now }
      return values
    },
  }
}
