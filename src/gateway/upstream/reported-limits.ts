import type { ResponseHeaders } from '../../core/ports/model-backend.ts'

/*
 * What upstreams report about their own limits in headers:
 * https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers
 * https://docs.anthropic.com/en/api/rate-limits#response-headers
 */

/** A share of its limit, below which an upstream is about to answer 429. */
const LITTLE = 0.1

/** A limit that takes longer to refill is a quota of a day, not a rate: what is left of it does not depend on the load of the moment. */
const LONGEST_RESET_MS = 120_000

/** The wait that an upstream names, in ms; undefined: it names none. `now`: ns since the epoch. */
export const waitMsIn = (headers: ResponseHeaders, now: bigint): number | undefined => {
  const ms = numberIn(headers['retry-after-ms'])
  if (ms !== undefined) return ms
  const after = headers['retry-after']
  if (after === undefined) return undefined
  const seconds = numberIn(after)
  return seconds === undefined ? msUntil(after, now) : seconds * 1000
}

/** Whether less than `LITTLE` is left of a limit on requests or tokens. */
export const isLittleLeft = (headers: ResponseHeaders, now: bigint): boolean => {
  for (const name in headers) {
    const reported = reportedBy(name)
    if (reported === undefined) continue
    const remaining = numberIn(headers[name])
    const limit = numberIn(headers[reported.limit])
    if (remaining === undefined || limit === undefined || limit === 0 || remaining / limit >= LITTLE) continue
    const resetMs = resetMsOf(headers[reported.reset], now)
    if (resetMs === undefined || resetMs <= LONGEST_RESET_MS) return true
  }
  return false
}

const OPENAI = 'x-ratelimit-remaining-'

/** `anthropic-ratelimit-tokens-remaining`. Those of the priority tier are a commitment beside the limits. */
const ANTHROPIC = /^anthropic-ratelimit-[a-z-]{1,40}-(?=remaining$)/

/** The headers that belong to one that names a remainder; undefined: it names none. */
const reportedBy = (name: string): { readonly limit: string; readonly reset: string } | undefined => {
  if (name.startsWith(OPENAI)) {
    const what = name.slice(OPENAI.length)
    return { limit: `x-ratelimit-limit-${what}`, reset: `x-ratelimit-reset-${what}` }
  }
  const prefix = ANTHROPIC.exec(name)?.[0]
  return prefix === undefined ? undefined : { limit: `${prefix}limit`, reset: `${prefix}reset` }
}

/** A number that is not negative. */
const numberIn = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}(\.\d{1,9})?$/.test(text) ? Number(text) : undefined

/** `6m0s`, `8.64s`, `120ms` */
const DURATION =
  /^(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,9}(?:\.\d{1,9})?)s)?(?:(\d{1,9}(?:\.\d{1,9})?)ms)?$/

/** ms of a duration, of seconds, or until a time. */
const resetMsOf = (text: string | undefined, now: bigint): number | undefined => {
  if (text === undefined || text === '') return undefined
  const seconds = numberIn(text)
  if (seconds !== undefined) return seconds * 1000
  const parts = DURATION.exec(text)
  if (parts === null) return msUntil(text, now)
  const [days = 0, hours = 0, minutes = 0, secs = 0, ms = 0] = parts.slice(1).map((part) => Number(part ?? 0))
  return (((days * 24 + hours) * 60 + minutes) * 60 + secs) * 1000 + ms
}

const msUntil = (time: string, now: bigint): number | undefined => {
  const at = Date.parse(time)
  return Number.isNaN(at) ? undefined : Math.max(0, at - Number(now / 1_000_000n))
}
