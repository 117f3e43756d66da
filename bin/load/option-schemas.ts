import * as v from 'valibot'
import { isLoopback } from '../../src/platform/loopback.ts'

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

const DURATION = /^(\d{1,9}(?:\.\d{1,6})?|\.\d{1,6})(ms|s|m|h)?$/

/** Seconds (`60`, `0.05`) or a number with a unit (`500ms`, `10s`, `2m`, `1h`), as ms. NaN for anything else. */
export const durationMs = (text: string): number => {
  const [, amount, unit = 's'] = DURATION.exec(text) ?? []
  return Number(amount) * (UNIT_MS[unit] ?? Number.NaN)
}

/** A duration in ms, from `lowMs` to `highMs`, both included. */
export const duration = (lowMs: number, highMs: number) =>
  v.pipe(
    v.string(),
    v.transform(durationMs),
    v.check(
      (ms) => ms >= lowMs && ms <= highMs,
      `be seconds from ${lowMs / 1000} to ${highMs / 1000}, or with a unit, such as 500ms, 10s, 2m or 1h`,
    ),
  )

/** The comma-separated texts of all values, without empty texts and duplicates. */
export const listed = (values: readonly string[]): readonly string[] => [
  ...new Set(
    values
      .flatMap((value) => value.split(','))
      .map((value) => value.trim())
      .filter((value) => value !== ''),
  ),
]

/** The base URL of a node's API, without a trailing slash. Hosts other than this machine are rejected unless allowed. */
export const nodeUrl = ({ allowRemote }: { readonly allowRemote: boolean }) =>
  v.pipe(
    v.string(),
    v.check(isNodeUrl, ({ input }) => `be URLs such as http://127.0.0.1:8080, which "${input}" is not`),
    v.transform((text) => new URL(text)),
    v.check(
      ({ hostname }) => allowRemote || isLoopback(hostname),
      ({ input }) => `be on this machine, which ${input.host} is not, unless --allow-remote is given`,
    ),
    v.transform(({ href }) => href.replace(/\/+$/, '')),
  )

const isNodeUrl = (text: string): boolean => {
  if (!URL.canParse(text)) return false
  const { protocol, username, password, search, hash } = new URL(text)
  return /^https?:$/.test(protocol) && !(username || password || search || hash)
}

/** A key that is valid in a header. */
export const apiKey = v.pipe(
  v.string(),
  v.regex(/^[\x21-\x7e]{1,512}$/, 'be 1 to 512 printable ASCII characters without spaces'),
)

export const apiPath = v.pipe(
  v.string(),
  v.regex(/^\/[\x21\x22\x24-\x7e]{0,2000}$/, 'begin with / and have no spaces, such as /v1/chat/completions'),
)
