import { useEffect, useRef, useState } from 'preact/hooks'
import { useSession } from '../api/session.tsx'
import type { RunRequest } from './request-draft.ts'
import { type ModelResult, type Outcome, sendRequest } from './send-request.ts'

export const MAX_OUTCOMES = 200

/** Requests that were stopped are not counted. */
export type Counts = Readonly<Record<Exclude<Outcome['kind'], 'stopped'>, number>>

/** The results so far. */
export interface Tally {
  /** Newest first, at most `MAX_OUTCOMES`. */
  readonly outcomes: readonly Outcome[]
  /** Of all requests, including those no longer in `outcomes`. */
  readonly counts: Counts
  /** Of the latest run. */
  readonly run: Counts
  /** The latest denial of the latest run. */
  readonly denied: Outcome | undefined
  /** The latest failure of the latest run. */
  readonly failed: Outcome | undefined
}

const NONE: Counts = { allowed: 0, denied: 0, failed: 0 }
export const EMPTY_TALLY: Tally = {
  outcomes: [],
  counts: NONE,
  run: NONE,
  denied: undefined,
  failed: undefined,
}

/** The tally at the start of a run. */
export const withRun = (tally: Tally): Tally => ({
  ...tally,
  run: NONE,
  denied: undefined,
  failed: undefined,
})

/** Adds outcomes in the order of arrival, which may differ from the order of sending. */
export const withOutcomes = (tally: Tally, outcomes: readonly Outcome[]): Tally => ({
  outcomes: [...outcomes, ...tally.outcomes]
    .toSorted((first, second) => second.number - first.number)
    .slice(0, MAX_OUTCOMES),
  counts: counted(tally.counts, outcomes),
  run: counted(tally.run, outcomes),
  denied: outcomes.findLast(({ kind }) => kind === 'denied') ?? tally.denied,
  failed: outcomes.findLast(({ kind }) => kind === 'failed') ?? tally.failed,
})

const counted = (before: Counts, outcomes: readonly Outcome[]): Counts => {
  const counts = { ...before }
  for (const { kind } of outcomes) if (kind !== 'stopped') counts[kind]++
  return counts
}

export const sumOf = ({ allowed, denied, failed }: Counts): number => allowed + denied + failed

/** `11 requests: 10 allowed, 1 denied, 0 failed` */
export const countsText = (counts: Counts): string => {
  const all = sumOf(counts)
  const { allowed, denied, failed } = counts
  return `${all} ${all === 1 ? 'request' : 'requests'}: ${allowed} allowed, ${denied} denied, ${failed} failed`
}

/**
 * Calls `send` `count` times, at most `parallelism` at once, until `signal` aborts. Rejects with the first
 * error.
 */
export const runRequests = async (
  { count, parallelism }: { readonly count: number; readonly parallelism: number },
  signal: AbortSignal,
  send: () => Promise<void>,
): Promise<void> => {
  let left = count
  const worker = async () => {
    while (left > 0 && !signal.aborted) {
      left--
      await send()
    }
  }
  await Promise.all(Array.from({ length: Math.min(parallelism, count) }, worker))
}

/** The interval at which results are shown during a run. */
const SHOWN_EVERY_MS = 100

/** The current run and its results. */
export interface Run {
  readonly tally: Tally
  /** The streams that are arriving, newest first. */
  readonly arriving: readonly Outcome[]
  /** The size of the current run; undefined while none is running. */
  readonly count: number | undefined
  /** The requests done and the size of the last run; undefined before the first one ends. */
  readonly ended: { readonly done: number; readonly count: number } | undefined
  /** Does nothing during a run. */
  start(request: RunRequest): void
  stop(): void
  /** Removes all results. */
  clear(): void
}

type Shown = Pick<Run, 'tally' | 'arriving' | 'count' | 'ended'>
const NOTHING: Shown = { tally: EMPTY_TALLY, arriving: [], count: undefined, ended: undefined }

export const useRun = (): Run => {
  const { api } = useSession()
  const [shown, setShown] = useState(NOTHING)
  const running = useRef<AbortController | undefined>(undefined)
  const sent = useRef(0)
  useEffect(() => () => running.current?.abort(), [])

  const start = async ({ count, parallelism, ...request }: RunRequest) => {
    if (running.current !== undefined) return
    const abort = new AbortController()
    running.current = abort
    const collected = createCollectedOutcomes()
    const show = (isOver: boolean) => {
      const { received, arriving } = collected.take()
      setShown(({ tally }) => ({ arriving, ...shownAfter(withOutcomes(tally, received), count, isOver) }))
    }
    setShown((last) => ({ ...last, tally: withRun(last.tally) }))
    const timer = setInterval(() => show(false), SHOWN_EVERY_MS)
    await runRequests({ count, parallelism }, abort.signal, async () => {
      const { onProgress, onResult } = collected.begin(++sent.current)
      onResult(await sendRequest(api, request, abort.signal, onProgress))
    })
    clearInterval(timer)
    running.current = undefined
    show(true)
  }

  return {
    ...shown,
    start: (request) => void start(request),
    stop: () => running.current?.abort(),
    clear: () => {
      sent.current = 0
      setShown(NOTHING)
    },
  }
}

/** The outcomes between two renders. */
const createCollectedOutcomes = () => {
  const received: Outcome[] = []
  const arriving = new Map<number, Outcome>()
  return {
    begin(number: number) {
      const startedAtMs = performance.now()
      const outcomeOf = (result: ModelResult): Outcome => {
        const endedAtMs = performance.now()
        return { ...result, number, endedAtMs, durationMs: endedAtMs - startedAtMs }
      }
      return {
        onProgress(result: ModelResult) {
          arriving.set(number, outcomeOf(result))
        },
        onResult(result: ModelResult | undefined) {
          arriving.delete(number)
          if (result) received.push(outcomeOf(result))
        },
      }
    },
    /** Those received since the last call, and those still arriving. */
    take: () => ({
      received: received.splice(0),
      arriving: [...arriving.values()].toSorted((first, second) => second.number - first.number),
    }),
  }
}

const shownAfter = (tally: Tally, count: number, isOver: boolean) => ({
  tally,
  count: isOver ? undefined : count,
  ended: isOver ? { done: sumOf(tally.run), count } : undefined,
})
