import { asError } from '../api/errors.ts'

/** How what is shown is kept up to date. */
export type Connection =
  | { readonly state: 'connecting' | 'live' | 'polling' }
  /** `nextTryAt` in ms since the epoch. */
  | { readonly state: 'offline'; readonly nextTryAt: number; readonly error: string }

/** Hears events until the source ends, or throws what ended it. */
export type Source<T> = (signal: AbortSignal, hear: (event: T) => void) => Promise<void>

export interface FollowOptions<T> {
  readonly source: Source<T>
  /** What the connection is called while events come. */
  readonly connected: 'live' | 'polling'
  onEvent(event: T): void
  onConnection(connection: Connection): void
  /** Resolves after so many ms, or sooner: aborted, or where a try is likely to succeed. */
  wait(ms: number, signal: AbortSignal): Promise<void>
  now(): number
  /** 0 to 1 */
  random(): number
}

/** Listens to a source, and again whenever it ends, until it is aborted. Never throws. */
export const follow = async <T>(following: FollowOptions<T>, signal: AbortSignal): Promise<void> => {
  const { onConnection, wait, now, random } = following
  let failures = 0
  onConnection({ state: 'connecting' })
  while (!signal.aborted) {
    const { heard, error } = await readSource(following, signal)
    if (signal.aborted) return
    failures = heard ? 1 : failures + 1
    const waitMs = backOffMs(failures, random())
    onConnection({ state: 'offline', nextTryAt: now() + waitMs, error: error.message })
    await wait(waitMs, signal)
  }
}

/** Whether anything was heard, and why it ended. */
const readSource = async <T>(
  { source, connected, onEvent, onConnection }: FollowOptions<T>,
  signal: AbortSignal,
): Promise<{ readonly heard: boolean; readonly error: Error }> => {
  let heard = false
  const hear = (event: T) => {
    if (signal.aborted) return
    if (!heard) onConnection({ state: connected })
    heard = true
    onEvent(event)
  }
  try {
    await source(signal, hear)
    return { heard, error: new Error('The stream ended.') }
  } catch (error) {
    return { heard, error: asError(error) }
  }
}

const FIRST_MS = 1000
const LONGEST_MS = 30_000

/**
 * How long to wait after `failures` tries in a row (1 and up) that failed: twice as long each time, up to half a
 * minute; by chance (`random`, 0 to 1) up to half of it less, so that not all viewers come back at once.
 */
export const backOffMs = (failures: number, random: number): number => {
  const longest = Math.min(FIRST_MS * 2 ** (failures - 1), LONGEST_MS)
  return Math.round(longest * (1 - random / 2))
}
