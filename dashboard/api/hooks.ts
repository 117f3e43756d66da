import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { asError } from './errors.ts'
import type { Model, Models } from './responses.ts'
import { useSession } from './session.tsx'

/** The state of a query: `data` is that of the last response while the next one loads. */
export interface QueryResult<T> {
  readonly data: T | undefined
  /** Of the last attempt. */
  readonly error: Error | undefined
  readonly isLoading: boolean
  reload(): void
}

/** Calls `read` when the view opens and whenever `about` changes, and aborts the call before. */
export const useQuery = <T>(
  read: (signal: AbortSignal) => Promise<T>,
  about: readonly unknown[],
): QueryResult<T> => {
  const [state, setState] = useState<Pick<QueryResult<T>, 'data' | 'error' | 'isLoading'>>({
    data: undefined,
    error: undefined,
    isLoading: true,
  })
  const [round, setRound] = useState(0)
  const latest = useRef(read)
  latest.current = read
  useEffect(() => {
    const abort = new AbortController()
    setState(({ data }) => ({ data, error: undefined, isLoading: true }))
    latest.current(abort.signal).then(
      (data) => abort.signal.aborted || setState({ data, error: undefined, isLoading: false }),
      (error: unknown) => {
        if (abort.signal.aborted) return
        setState(({ data }) => ({ data, error: asError(error), isLoading: false }))
      },
    )
    return () => abort.abort()
  }, [round, ...about])
  return { ...state, reload: useCallback(() => setRound((last) => last + 1), []) }
}

/**
 * Reloads `everyMs` after each response while the tab is visible, and at once when it becomes visible again.
 */
export const useRefresh = (
  { isLoading, reload }: Pick<QueryResult<unknown>, 'isLoading' | 'reload'>,
  everyMs: number,
): void => {
  useEffect(() => {
    if (isLoading) return
    const reloadIfVisible = () => {
      if (document.visibilityState === 'visible') reload()
    }
    const timer = setTimeout(reloadIfVisible, everyMs)
    document.addEventListener('visibilitychange', reloadIfVisible)
    return () => {
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', reloadIfVisible)
    }
  }, [isLoading, reload, everyMs])
}

/** A request that changes something on the server. */
export interface Action<A extends readonly unknown[]> {
  /** Resolves to true if it succeeded. Never throws: a failure is in `error`. */
  run(...args: A): Promise<boolean>
  readonly isRunning: boolean
  readonly error: Error | undefined
  /** Removes the error. */
  clear(): void
}

/** Runs `act`, one call at a time; a call during another one does nothing. */
export const useAction = <A extends readonly unknown[]>(act: (...args: A) => Promise<unknown>): Action<A> => {
  const [isRunning, setRunning] = useState(false)
  const [error, setError] = useState<Error | undefined>(undefined)
  return {
    isRunning,
    error,
    clear: () => setError(undefined),
    async run(...args) {
      if (isRunning) return false
      setRunning(true)
      setError(undefined)
      try {
        await act(...args)
        return true
      } catch (caught) {
        setError(asError(caught))
        return false
      } finally {
        setRunning(false)
      }
    },
  }
}

const NONE: readonly string[] = []

/** The registered models. */
export const useModels = (): QueryResult<Models> => {
  const { api } = useSession()
  return useQuery((signal) => api.get<Models>('api/models', {}, signal), [])
}

/** The ids of the registered models; empty until they are loaded. */
export const useModelIds = (): readonly string[] =>
  useModels().data?.items.map(({ model_id }) => model_id) ?? NONE

/** The tiers of models, each once. */
export const tiersOf = (models: readonly Model[]): readonly string[] => [
  ...new Set(models.flatMap(({ tier }) => tier ?? [])),
]

const DEBOUNCE_MS = 250

/** `value` once it has not changed for 250 ms, so that typing sends one request and not one per letter. */
export const useDebounced = <T extends string | undefined>(value: T): T => {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), DEBOUNCE_MS)
    return () => clearTimeout(timer)
  }, [value])
  return settled
}
