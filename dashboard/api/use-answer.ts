import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { asError } from './as-error.ts'

/** What was asked for: `data` of the last answer stays while it is asked for again. */
export interface Asked<T> {
  readonly data: T | undefined
  /** Of the last try. */
  readonly error: Error | undefined
  readonly isLoading: boolean
  reload(): void
}

/** Asks when the view opens and whenever `about` changes; what is under way then is aborted. */
export const useAnswer = <T>(
  ask: (signal: AbortSignal) => Promise<T>,
  about: readonly unknown[],
): Asked<T> => {
  const [state, setState] = useState<Pick<Asked<T>, 'data' | 'error' | 'isLoading'>>({
    data: undefined,
    error: undefined,
    isLoading: true,
  })
  const [round, setRound] = useState(0)
  const latest = useRef(ask)
  latest.current = ask
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
