import { hash, randomBytes, randomUUID } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { Clock, Logger, Secrets } from '../core/ports/platform.ts'
import { sharedRead } from '../core/ports/shared-read.ts'

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

/** Caches secrets for `maxAgeMs`. */
export const createSecretValues = (options: SecretValuesOptions): SecretValues => {
  const { ids, fetch, clock, logger } = options
  let last: readonly string[] | undefined

  const fetchAll = async (): Promise<readonly string[]> => {
    const values = await Promise.all(ids.map(fetch))
    return last !== undefined && values.every((value, i) => value === last?.[i]) ? last : values
  }

  const read = sharedRead(
    async () => {
      last = await fetchAll().catch((error: unknown) => {
        if (last === undefined) throw error
        logger.warn('secrets not read: the last values remain valid', { error })
        return last
      })
      return last
    },
    { clock, ms: options.maxAgeMs },
  )
  return { read }
}
