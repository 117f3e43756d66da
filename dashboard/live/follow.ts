import { asError } from '../api/errors.ts'

/** How the data on the screen is kept up to date. */
export type Connection =
  | { readonly state: 'connecting' | 'live' | 'polling' }
  /** `nextTryAt` in ms since the epoch. */
  | { readonly state: 'offline'; readonly nextTryAt: number; readonly error: string }

/** Emits events until the source ends; throws if it fails. */
export type Source<T> = (signal: AbortSignal, emit: (event: T) => void) => Promise<void>

export interface FollowOptions<T> {
  readonly source: Source<T>
  /** The state of the connection while events arrive. */
  readonly connected: 'live' | 'polling'
  onEvent(event: T): void
  onConnection(connection: Connection): void
  /** Resolves after `ms`, or sooner if `signal` aborts or a retry is likely to succeed. */
  wait(ms: number, signal: AbortSignal): Promise<void>
  now(): number
  /** 0 to 1 */
  random(): number
}

/** Reads a source, and reconnects with backoff whenever it ends, until `signal` aborts. Never throws. */
export const follow = async <T>(options: FollowOptions<T>, signal: AbortSignal): Promise<void> => {
  const { onConnection, wait, now, random } = options
  let failures = 0
  onConnection({ state: 'connecting' })
  while (!signal.aborted) {
    const { received, error } = await readSource(options, signal)
    if (signal.aborted) return
    failures = received ? 1 : failures + 1
    const waitMs = backOffMs(failures, random())
    onConnection({ state: 'offline', nextTryAt: now() + waitMs, error: error.message })
    await wait(waitMs, signal)
  }
}

/** Whether any event arrived, and why the source ended. */
const readSource = async <T>(
  { source, connected, onEvent, onConnection }: FollowOptions<T>,
  signal: AbortSignal,
): Promise<{ readonly received: boolean; readonly error: Error }> => {
  let received = false
  const emit = (event: T) => {
    if (signal.aborted) return
    if (!received) onConnection({ state: connected })
    received = true
    onEvent(event)
  }
  try {
    await source(signal, emit)
    return { received, error: new Error('The stream ended.') }
  } catch (error) {
    return { received, error: asError(error) }
  }
}

const FIRST_MS = 1000
const LONGEST_MS = 30_000

/**
 * The delay after `failures` (1 or more) failed attempts in a row: doubles each time, up to 30 s. `random` (0 to 1) takes
 * up to half of it away, so that not all viewers reconnect at once.
 */
export const backOffMs = (failures: number, random: number): number => {
  const longest = Math.min(FIRST_MS * 2 ** (failures - 1), LONGEST_MS)
  return Math.round(longest * (1 - random / 2))
}
