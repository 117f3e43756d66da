import { hash, randomBytes, randomUUID } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { Secrets } from '../core/ports/platform.ts'

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
 * Secrets of 256 random bits: `zk_`, 43 base-62 digits and a checksum of 6 (CRC-32 of what stands before it), by which
 * a scanner of source code tells a real secret from a look-alike.
 */
export const randomSecrets: Secrets = {
  create() {
    const body = PREFIX + base62(BigInt(`0x${randomBytes(32).toString('hex')}`), RANDOM_LENGTH)
    return body + checksum(body)
  },
  hash: (secret) => hash('sha256', secret),
  id: () => randomUUID(),
}
