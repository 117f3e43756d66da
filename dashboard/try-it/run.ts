import { useEffect, useRef, useState } from 'preact/hooks'
import { useSession } from '../api/session.tsx'
import type { RunRequest } from './request-draft.ts'
import { type Outcome, sendChat } from './send-chat.ts'

export const MAX_OUTCOMES = 200

export type Counts = Readonly<Record<Outcome['kind'], number>>

/** What came of the requests so far. */
export interface Tally {
  /** Newest first, at most `MOST_KEPT`. */
  readonly outcomes: readonly Outcome[]
  /** Of all, kept or not. */
  readonly counts: Counts
  /** Of the latest run. */
  readonly run: Counts
  /** The latest denial of the latest run. */
  readonly denied: Outcome | undefined
}

const NONE: Counts = { allowed: 0, denied: 0, failed: 0 }
export const EMPTY_TALLY: Tally = { outcomes: [], counts: NONE, run: NONE, denied: undefined }

/** A run begins. */
export const withRun = (tally: Tally): Tally => ({ ...tally, run: NONE, denied: undefined })

/** `outcomes` in the order in which they came, which is not that in which they were sent. */
export const withOutcomes = (tally: Tally, outcomes: readonly Outcome[]): Tally => ({
  outcomes: [...outcomes, ...tally.outcomes]
    .toSorted((first, second) => second.number - first.number)
    .slice(0, MAX_OUTCOMES),
  counts: counted(tally.counts, outcomes),
  run: counted(tally.run, outcomes),
  denied: outcomes.findLast(({ kind }) => kind === 'denied') ?? tally.denied,
})

const counted = (before: Counts, outcomes: readonly Outcome[]): Counts => {
  const counts = { ...before }
  for (const { kind } of outcomes) counts[kind]++
  return counts
}

export const sumOf = ({ allowed, denied, failed }: Counts): number => allowed + denied + failed

/** `11 requests: 10 allowed, 1 denied, 0 failed` */
export const countsText = (counts: Counts): string => {
  const all = sumOf(counts)
  const { allowed, denied, failed } = counts
  return `${all} ${all === 1 ? 'request' : 'requests'}: ${allowed} allowed, ${denied} denied, ${failed} failed`
}

/** Calls `send` `count` times, at most `parallelism` at once, until `signal` says stop. Rejects as the first that does. */
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

/** How often results are shown while more come; a run that takes less never looks as if it ran. */
const SHOWN_EVERY_MS = 100

/** Requests that are sent, and what came of them. */
export interface Run {
  readonly tally: Tally
  /** How many the run that goes on will send. */
  readonly count: number | undefined
  /** How many the last run ended with, and was to send; undefined before. */
  readonly ended: { readonly done: number; readonly count: number } | undefined
  /** Does nothing while a run goes on. */
  start(plan: RunRequest): void
  stop(): void
  /** Forgets what came. */
  clear(): void
}

type Shown = Pick<Run, 'tally' | 'count' | 'ended'>
const NOTHING: Shown = { tally: EMPTY_TALLY, count: undefined, ended: undefined }

export const useRun = (): Run => {
  const { api } = useSession()
  const [shown, setShown] = useState(NOTHING)
  const running = useRef<AbortController | undefined>(undefined)
  const sent = useRef(0)
  useEffect(() => () => running.current?.abort(), [])

  const start = async ({ caller, body, ...plan }: RunRequest) => {
    if (running.current !== undefined) return
    const abort = new AbortController()
    running.current = abort
    const received: Outcome[] = []
    const show = (isOver: boolean) => {
      const batch = received.splice(0)
      setShown((last) => shownAfter(withOutcomes(last.tally, batch), plan.count, isOver))
    }
    setShown((last) => ({ ...last, tally: withRun(last.tally) }))
    const timer = setInterval(() => show(false), SHOWN_EVERY_MS)
    await runRequests(plan, abort.signal, async () => {
      const number = ++sent.current
      const startedAtMs = performance.now()
      const result = await sendChat(api, caller, body, abort.signal)
      const endedAtMs = performance.now()
      if (result) received.push({ ...result, number, endedAtMs, durationMs: endedAtMs - startedAtMs })
    })
    clearInterval(timer)
    running.current = undefined
    show(true)
  }

  return {
    ...shown,
    start: (plan) => void start(plan),
    stop: () => running.current?.abort(),
    clear: () => {
      sent.current = 0
      setShown(NOTHING)
    },
  }
}

const shownAfter = (tally: Tally, count: number, isOver: boolean): Shown => ({
  tally,
  count: isOver ? undefined : count,
  ended: isOver ? { done: sumOf(tally.run), count } : undefined,
})
