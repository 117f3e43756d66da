import { useEffect, useState } from 'preact/hooks'
import type { Api } from '../../api/api.ts'
import { asError } from '../../api/as-error.ts'
import { useSession } from '../../api/session.tsx'
import { useSettled } from '../../parts/suggesting/use-settled.ts'
import type { Caller } from '../asking/draft.ts'
import type { Run } from '../running/use-run.ts'
import { askLimits, type Found } from './ask-limits.ts'
import { askMeters, type Meters, meterKey, NO_METERS } from './ask-meters.ts'
import { isFilling, type OwnedLimits } from './owned-limits.ts'

/** While something changes by itself, and while nothing does. */
const FILLING_EVERY_MS = 1000
const FULL_EVERY_MS = 5000

export interface WatchedLimits {
  /** Of whom and what; undefined while no one is named. */
  readonly about: string | undefined
  /** Undefined until they are known. */
  readonly owned: readonly OwnedLimits[] | undefined
  readonly error: string | undefined
  readonly meters: Meters
}

type State = WatchedLimits

/** The limits that `caller` meets with `model`, again and again while the page is looked at, and whenever a run ends. */
export const useLimits = (caller: Caller, model: string, run: Run): WatchedLimits => {
  const { api } = useSession()
  const isRunning = run.count !== undefined
  const named = caller.kind === 'entity' ? caller.id : caller.key
  const about = useSettled(named === '' || model === '' ? undefined : JSON.stringify([caller, model]))
  const [state, setState] = useState<State>(nothingOf(about))

  useEffect(() => {
    if (about === undefined) return
    const abort = new AbortController()
    const metersOf = createMeters(api, model, abort.signal)
    let timer: ReturnType<typeof setTimeout> | undefined
    const again = (delayMs: number | undefined) => {
      if (delayMs !== undefined && !abort.signal.aborted) timer = setTimeout(watch, delayMs)
    }
    const watch = async () => {
      if (document.hidden) return again(FILLING_EVERY_MS)
      const found = await askLimits(api, caller, model, abort.signal).catch(
        (error: unknown): Found => ({ error: asError(error).message, isFinal: false }),
      )
      const meters = 'owned' in found ? await metersOf(found.owned) : NO_METERS
      if (abort.signal.aborted) return
      setState((last) => stateAfter(last, about, found, meters))
      again(nextDelayMs(found, isRunning))
    }
    void watch()
    return () => {
      abort.abort()
      clearTimeout(timer)
    }
  }, [about, isRunning, run.ended])

  return state.about === about ? state : nothingOf(about)
}

const nothingOf = (about: string | undefined): State => ({
  about,
  owned: undefined,
  error: undefined,
  meters: NO_METERS,
})

/** Meters are read again only if the limits have changed, or the last read failed. */
const createMeters = (api: Api, model: string, signal: AbortSignal) => {
  let of = ''
  let meters = NO_METERS
  return async (owned: readonly OwnedLimits[]): Promise<Meters> => {
    const names = owned.flatMap(({ limits }) => limits.map(meterKey)).join('\n')
    if (names === of) return meters
    const read = await askMeters(api, owned, model, signal)
    if (read === undefined) return meters
    meters = read
    of = names
    return meters
  }
}

/** The limits stay on the page while the API is unavailable, with the error beside them. */
const stateAfter = (last: State, about: string, found: Found, meters: Meters): State => {
  if ('owned' in found) return { about, owned: found.owned, error: undefined, meters }
  const isKept = last.about === about && !found.isFinal
  return { about, owned: isKept ? last.owned : undefined, error: found.error, meters: last.meters }
}

/** Undefined: asking again is of no use. */
const nextDelayMs = (found: Found, isRunning: boolean): number | undefined => {
  if ('owned' in found) return isRunning || isFilling(found.owned) ? FILLING_EVERY_MS : FULL_EVERY_MS
  return found.isFinal ? undefined : FULL_EVERY_MS
}
