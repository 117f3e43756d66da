import type { Decision } from '../../core/decide/decision.ts'
import { usedShare } from '../../core/decide/limit-state.ts'
import { isEnforced } from '../../core/model/limit.ts'
import { DEGRADED, type Headers } from '../../web/rate-limit-headers.ts'

/** The headers of one limiter for one response. */
export interface LimitHeaders {
  readonly headers: Readonly<Headers>
  /** Whether this limiter refuses the request. */
  readonly denies: boolean
  /** True: the limiter only watches, and what it found binds no one. */
  readonly isShadow: boolean
  /** Left out where the request was refused before any limit was looked at. */
  readonly decision?: Decision
}

/** What is to change in the headers of a response: first the removals. */
export interface HeaderChanges {
  readonly remove: readonly string[]
  readonly set: Readonly<Headers>
}

const NO_CHANGES: HeaderChanges = { remove: [], set: {} }

/** By the framework's own object for a request, which all limiters on it share. */
const described = new WeakMap<object, LimitHeaders>()

/**
 * Several limiters may decide about one request. Its response describes the one that denies, else the one with the least
 * share left, in whichever order they are mounted and finish.
 */
export const headerChanges = (request: object, own: LimitHeaders): HeaderChanges => {
  const before = described.get(request)
  if (before === undefined) {
    described.set(request, own)
    return { remove: [], set: own.headers }
  }
  if (!isTighter(own, before)) return own.headers[DEGRADED] ? { remove: [], set: DEGRADED_ONLY } : NO_CHANGES
  described.set(request, own)
  const remove = Object.keys(before.headers).filter((name) => name !== DEGRADED && !(name in own.headers))
  return { remove, set: own.headers }
}

/** Holds for the whole response, whichever limiter it describes. */
const DEGRADED_ONLY: Readonly<Headers> = { [DEGRADED]: 'true' }

const isTighter = (a: LimitHeaders, b: LimitHeaders): boolean => {
  if (a.denies || b.denies) return a.denies
  if (a.isShadow !== b.isShadow) return b.isShadow
  return leastShare(a) < leastShare(b)
}

/** Of the caller's own limits, which the headers describe; 1 where there are none. */
const leastShare = ({ decision }: LimitHeaders): number => {
  let least = 1
  for (const state of decision?.limits ?? []) {
    if (state.own && isEnforced(state.limit)) least = Math.min(least, 1 - usedShare(state))
  }
  return least
}
