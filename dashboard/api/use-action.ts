import { useState } from 'preact/hooks'
import { asError } from './as-error.ts'

/** Something that changes the world. */
export interface Action<A extends readonly unknown[]> {
  /** True: done. Never throws: what went wrong is in `error`. */
  run(...args: A): Promise<boolean>
  readonly isRunning: boolean
  readonly error: Error | undefined
  /** Forgets the error. */
  clear(): void
}

/** Runs `act` once at a time. */
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
