import { useEffect, useRef, useState } from 'preact/hooks'
import { useSession } from '../../api/session.tsx'
import type { Plan } from '../asking/draft.ts'
import type { Outcome } from './outcome.ts'
import { runRequests } from './run-requests.ts'
import { sendChat } from './send-chat.ts'
import { EMPTY_TALLY, sumOf, type Tally, withOutcomes, withRun } from './tally.ts'

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
  start(plan: Plan): void
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

  const start = async ({ caller, body, ...plan }: Plan) => {
    if (running.current !== undefined) return
    const abort = new AbortController()
    running.current = abort
    const came: Outcome[] = []
    const show = (isOver: boolean) => {
      const news = came.splice(0)
      setShown((last) => shownAfter(withOutcomes(last.tally, news), plan.count, isOver))
    }
    setShown((last) => ({ ...last, tally: withRun(last.tally) }))
    const timer = setInterval(() => show(false), SHOWN_EVERY_MS)
    await runRequests(plan, abort.signal, async () => {
      const number = ++sent.current
      const startedAtMs = performance.now()
      const answered = await sendChat(api, caller, body, abort.signal)
      const endedAtMs = performance.now()
      if (answered) came.push({ ...answered, number, endedAtMs, durationMs: endedAtMs - startedAtMs })
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
