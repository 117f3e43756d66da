import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { goDuration } from '../../src/web/rate-limit-headers.ts'

const MS_OF: Readonly<Record<string, bigint>> = { h: 3_600_000n, m: 60_000n, s: 1000n, ms: 1n }

const PART = /(\d+)(?:\.(\d+))?(ms|h|m|s)/y

/** Parses like Go's `time.ParseDuration`, in ms. Throws if anything is left over. */
const parse = (text: string): bigint => {
  let total = 0n
  PART.lastIndex = 0
  while (PART.lastIndex < text.length) {
    const match = PART.exec(text)
    if (match === null) throw new Error(`${text} is no duration`)
    const [, whole = '', fraction = '', unit = ''] = match
    const size = MS_OF[unit] ?? 0n
    total += BigInt(whole) * size + (BigInt(fraction || '0') * size) / 10n ** BigInt(fraction.length)
  }
  return total
}

test.prop([fc.bigInt({ min: 0n, max: 10n ** 21n })])(
  'a Go duration parses back to its ms, rounded up',
  (ns) => {
    const ms = parse(goDuration(ns))
    expect(ms * 1_000_000n >= ns).toBe(true)
    expect(ms * 1_000_000n - ns < 1_000_000n).toBe(true)
  },
)
