const MS_PER_SECOND = 1000
const MS_PER_MINUTE = 60_000
const MS_PER_HOUR = 3_600_000n

/** ns as whole ms, rounded up: whoever waits that long has waited long enough. Never below 0. */
export const ceilMs = (ns: bigint): bigint => (ns <= 0n ? 0n : (ns + 999_999n) / 1_000_000n)

/** ns as whole seconds, rounded up. */
export const ceilSeconds = (ns: bigint): bigint => (ns <= 0n ? 0n : (ns + 999_999_999n) / 1_000_000_000n)

/** As Go's `time.Duration` prints itself, which OpenAI's headers do: `120ms`, `8.64s`, `6m0s`, `1h0m0.5s`. To the ms, rounded up. */
export const goDuration = (ns: bigint): string => {
  const total = ceilMs(ns)
  // the hours alone may be too many for a number
  const hours = total / MS_PER_HOUR
  const ms = Number(total % MS_PER_HOUR)
  if (hours === 0n && ms > 0 && ms < MS_PER_SECOND) return `${ms}ms`
  const minutes = Math.floor(ms / MS_PER_MINUTE)
  // thousandths below a minute: such a quotient prints as it is written by hand
  const seconds = `${(ms % MS_PER_MINUTE) / MS_PER_SECOND}s`
  if (hours > 0n) return `${hours}h${minutes}m${seconds}`
  return minutes > 0 ? `${minutes}m${seconds}` : seconds
}
