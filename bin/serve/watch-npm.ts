import type { Environment } from '../settings/settings-reader.ts'

export interface NpmWatch {
  readonly environment: Environment
  /** The id of the process that started this one. */
  readonly npmId: number
  /** The id of this process's parent now. */
  readonly parentId: () => number
  readonly onGone: () => void
}

const LOOK_EVERY_MS = 500

/**
 * Calls `onGone` once the npm that runs `npm start` has ended, however it did: npm passes signals on, but not when it is
 * killed. The script's `exec` makes npm the parent of this process. A process that was started otherwise outlives its parent.
 */
export const watchNpm = ({ environment, npmId, parentId, onGone }: NpmWatch): void => {
  if (environment.npm_lifecycle_event !== 'start') return
  const timer = setInterval(() => {
    if (parentId() === npmId) return
    clearInterval(timer)
    onGone()
  }, LOOK_EVERY_MS).unref()
}
