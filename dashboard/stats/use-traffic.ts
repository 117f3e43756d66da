import { useEffect } from 'preact/hooks'
import type { Traffic } from '../api/answers.ts'
import { useSession } from '../api/session.tsx'
import { type Asked, useAnswer } from '../api/use-answer.ts'

/** The server reads them no more often. */
const EVERY_MS = 30_000

/** What was admitted and denied, asked for again and again while the page is looked at. */
export const useTraffic = (granularity: Traffic['granularity']): Asked<Traffic> => {
  const { api } = useSession()
  const asked = useAnswer(
    (signal) => api.get<Traffic>('api/dashboard/stats', { granularity }, signal),
    [granularity],
  )
  const { reload } = asked
  useEffect(() => {
    const timer = setInterval(() => document.hidden || reload(), EVERY_MS)
    return () => clearInterval(timer)
  }, [reload])
  return asked
}
