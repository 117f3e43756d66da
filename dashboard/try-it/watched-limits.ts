import { useEffect, useState } from 'preact/hooks'
import { type Api, pathOf } from '../api/api.ts'
import { asError } from '../api/errors.ts'
import { useDebounced } from '../api/hooks.ts'
import type { CheckAllowed, Explanation } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import type { Meter } from '../parts/amounts.ts'
import type { Caller } from './request-draft.ts'
import type { Run } from './run.ts'
import { callerHeaders } from './send-request.ts'

/** The interval of reads while buckets refill, and while nothing changes. */
const REFILLING_REFRESH_MS = 1000
const IDLE_REFRESH_MS = 5000

export interface WatchedLimits {
  /** The caller and the model, as a key; undefined without a caller. */
  readonly about: string | undefined
  /** Undefined until they are loaded. */
  readonly owned: readonly OwnedLimits[] | undefined
  readonly error: string | undefined
  readonly meters: Meters
}

type State = WatchedLimits

/** The limits that apply to `caller` and `model`, refreshed while the tab is visible and after every run. */
export const useWatchedLimits = (caller: Caller, model: string, run: Run): WatchedLimits => {
  const { api } = useSession()
  const isRunning = run.count !== undefined
  const named = caller.kind === 'entity' ? caller.id : caller.key
  const about = useDebounced(named === '' || model === '' ? undefined : JSON.stringify([caller, model]))
  const [state, setState] = useState<State>(emptyState(about))

  useEffect(() => {
    if (about === undefined) return
    const abort = new AbortController()
    const metersOf = createMeters(api, model, abort.signal)
    let timer: ReturnType<typeof setTimeout> | undefined
    const scheduleNext = (delayMs: number | undefined) => {
      if (delayMs !== undefined && !abort.signal.aborted) timer = setTimeout(watch, delayMs)
    }
    const watch = async () => {
      if (document.hidden) return scheduleNext(REFILLING_REFRESH_MS)
      const result = await fetchLimits(api, caller, model, abort.signal).catch(
        (error: unknown): LimitsResult => ({ error: asError(error).message, isFinal: false }),
      )
      const meters = 'owned' in result ? await metersOf(result.owned) : NO_METERS
      if (abort.signal.aborted) return
      setState((last) => stateAfter(last, about, result, meters))
      scheduleNext(nextDelayMs(result, isRunning))
    }
    void watch()
    return () => {
      abort.abort()
      clearTimeout(timer)
    }
  }, [about, isRunning, run.ended])

  return state.about === about ? state : emptyState(about)
}

const emptyState = (about: string | undefined): State => ({
  about,
  owned: undefined,
  error: undefined,
  meters: NO_METERS,
})

/** Reads meters again only if the limits have changed or the last read failed. */
const createMeters = (api: Api, model: string, signal: AbortSignal) => {
  let of = ''
  let meters = NO_METERS
  return async (owned: readonly OwnedLimits[]): Promise<Meters> => {
    const names = owned.flatMap(({ limits }) => limits.map(meterKey)).join('\n')
    if (names === of) return meters
    const read = await fetchMeters(api, owned, model, signal)
    if (read === undefined) return meters
    meters = read
    of = names
    return meters
  }
}

/** Keeps the limits while the API is unavailable, with the error beside them. */
const stateAfter = (last: State, about: string, found: LimitsResult, meters: Meters): State => {
  if ('owned' in found) return { about, owned: found.owned, error: undefined, meters }
  const isKept = last.about === about && !found.isFinal
  return { about, owned: isKept ? last.owned : undefined, error: found.error, meters: last.meters }
}

/** Undefined if a retry cannot succeed. */
const nextDelayMs = (found: LimitsResult, isRunning: boolean): number | undefined => {
  if ('owned' in found) return isRunning || isRefilling(found.owned) ? REFILLING_REFRESH_MS : IDLE_REFRESH_MS
  return found.isFinal ? undefined : IDLE_REFRESH_MS
}

/** The limits, or an error that is final if a retry cannot succeed. */
export type LimitsResult =
  | { readonly owned: readonly OwnedLimits[] }
  | { readonly error: string; readonly isFinal: boolean }

/**
 * All limits that apply to a request of `caller` with `model`: its own, its parents', the policies'. A dry run:
 * charges and counts nothing.
 */
export const fetchLimits = async (
  api: Api,
  caller: Caller,
  model: string,
  signal: AbortSignal,
): Promise<LimitsResult> => {
  const response = await api.fetch('v1/limits/check', {
    method: 'POST',
    headers: { ...callerHeaders(caller), 'content-type': 'application/json' },
    body: JSON.stringify({ resource: model, dry_run: true, cost: { requests: 0, tokens: 0 } }),
    signal,
  })
  const json: unknown = await response.json().catch(() => undefined)
  const { limits, message } =
    typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {}
  // Not parsed here: the server's tests check every response against the schema that the type is inferred from.
  if (Array.isArray(limits)) return { owned: byOwner(limits as readonly LimitState[]) }
  const error = typeof message === 'string' ? message : `The API returned status ${response.status}`
  return { error, isFinal: response.status < 500 }
}

export type LimitState = CheckAllowed['limits'][number]

export interface OwnedLimits {
  /** An entity's id, or `POLICY:<scope>:<selector>`. */
  readonly owner: string
  readonly limits: readonly LimitState[]
}

/** Groups limits by owner, in the order of the response: those of the caller first. */
export const byOwner = (limits: readonly LimitState[]): readonly OwnedLimits[] =>
  [...new Set(limits.map(({ entity_id }) => entity_id))].map((owner) => ({
    owner,
    limits: limits.filter(({ entity_id }) => entity_id === owner),
  }))

/** Whether a token bucket is refilling. */
export const isRefilling = (owned: readonly OwnedLimits[]): boolean =>
  owned.some(({ limits }) => limits.some(({ used, algorithm }) => used > 0 && algorithm === 'token_bucket'))

/** The meter of each limit, by `meterKey`. */
export type Meters = ReadonlyMap<string, Meter>

export const NO_METERS: Meters = new Map()

export const meterKey = (limit: { readonly entity_id: string; readonly limit_name: string }): string =>
  `${limit.entity_id} ${limit.limit_name}`

const POLICY = /^POLICY:/

/**
 * The meters of the limits of a check, by which amounts of money are shown in dollars. Only an explanation contains them.
 * Undefined if it could not be read.
 */
export const fetchMeters = async (
  api: Api,
  owned: readonly OwnedLimits[],
  resource: string,
  signal: AbortSignal,
): Promise<Meters | undefined> => {
  const caller = owned.find(({ owner }) => !POLICY.test(owner))?.owner
  if (caller === undefined) return NO_METERS
  try {
    const path = pathOf('api/limits', caller, 'explain')
    const { limits, also_enforced } = await api.get<Explanation>(path, { resource }, signal)
    const buckets = [{ entity_id: caller, limits }, ...also_enforced]
    return new Map(
      buckets.flatMap(({ entity_id, limits }) =>
        limits.map(({ name, winner }) => [meterKey({ entity_id, limit_name: name }), winner.meter] as const),
      ),
    )
  } catch {
    return undefined
  }
}
