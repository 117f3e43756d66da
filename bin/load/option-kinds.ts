import { isLoopback } from '../../src/platform/loopback.ts'
import { Mistake, type SettingKind } from '../../src/settings/kinds.ts'

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

const DURATION = /^(\d{1,9}(?:\.\d{1,6})?|\.\d{1,6})(ms|s|m|h)?$/

/** Seconds (`60`, `0.05`) or a number with its unit (`500ms`, `10s`, `2m`, `1h`), as ms. NaN for anything else. */
export const durationMs = (text: string): number => {
  const [, amount, unit = 's'] = DURATION.exec(text) ?? []
  return Number(amount) * (UNIT_MS[unit] ?? Number.NaN)
}

/** A duration as ms, from `lowMs` to `highMs`, both included. */
export const duration =
  (lowMs: number, highMs: number): SettingKind<number> =>
  (text) => {
    const value = durationMs(text)
    if (!(value >= lowMs && value <= highMs)) {
      throw new Mistake(
        `be seconds from ${lowMs / 1000} to ${highMs / 1000}, or with a unit, such as 500ms, 10s, 2m or 1h`,
      )
    }
    return value
  }

/** What stands between the commas of all values; at least one, none twice. */
export const listed = (values: readonly string[]): readonly string[] => [
  ...new Set(
    values
      .flatMap((value) => value.split(','))
      .map((value) => value.trim())
      .filter((value) => value !== ''),
  ),
]

/** Where a node's API begins, without a slash at its end. A host that is not this machine is refused unless allowed. */
export const nodeUrl =
  ({ allowRemote }: { readonly allowRemote: boolean }): SettingKind<string> =>
  (text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:'
    if (!url || !isHttp || url.username || url.password || url.search || url.hash) {
      throw new Mistake(`be URLs such as http://127.0.0.1:8080, which "${text}" is not`)
    }
    if (!allowRemote && !isLoopback(url.hostname)) {
      throw new Mistake(`be on this machine, which ${url.host} is not, unless --allow-remote is given`)
    }
    return url.href.replace(/\/+$/, '')
  }

/** A key as a header can carry it. */
export const apiKey: SettingKind<string> = (text) => {
  if (!/^[\x21-\x7e]{1,512}$/.test(text))
    throw new Mistake('be 1 to 512 printable ASCII characters without spaces')
  return text
}

export const apiPath: SettingKind<string> = (text) => {
  if (!/^\/[\x21-\x7e]{0,2000}$/.test(text) || text.includes('#')) {
    throw new Mistake('begin with / and have no spaces, such as /v1/chat/completions')
  }
  return text
}
