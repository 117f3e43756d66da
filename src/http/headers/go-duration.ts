const MS_PER_SECOND = 1000n
const MS_PER_MINUTE = 60n * MS_PER_SECOND
const MS_PER_HOUR = 60n * MS_PER_MINUTE

/** ns as whole ms, rounded up: whoever waits that long has waited long enough. Never below 0. */
export const ceilMs = (ns: bigint): bigint => (ns <= 0n ? 0n : (ns + 999_999n) / 1_000_000n)

/** ns as whole seconds, rounded up. */
export const ceilSeconds = (ns: bigint): bigint => (ns <= 0n ? 0n : (ns + 999_999_999n) / 1_000_000_000n)

/** As Go's `time.Duration` prints itself, which OpenAI's headers do: `120ms`, `8.64s`, `6m0s`, `1h0m0.5s`. To the ms, rounded up. */
export const goDuration = (ns: bigint): string => {
  const ms = ceilMs(ns)
  if (ms > 0n && ms < MS_PER_SECOND) return `${ms}ms`
  const hours = ms / MS_PER_HOUR
  const minutes = (ms % MS_PER_HOUR) / MS_PER_MINUTE
  const seconds = `${decimalSeconds(ms % MS_PER_MINUTE)}s`
  if (hours > 0n) return `${hours}h${minutes}m${seconds}`
  return minutes > 0n ? `${minutes}m${seconds}` : seconds
}

/** Digits only: a JavaScript number would not do for every bigint. */
const decimalSeconds = (ms: bigint): string => {
  const fraction = String(ms % MS_PER_SECOND)
    .padStart(3, '0')
    .replace(/0+$/, '')
  return fraction === '' ? `${ms / MS_PER_SECOND}` : `${ms / MS_PER_SECOND}.${fraction}`
}
