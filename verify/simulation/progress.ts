import type { OnPart } from './run-seeds.ts'
import { failureText } from './simulate.ts'
import { type Summary, together } from './summary.ts'

const EVERY_MS = 5000

/** Reports the progress every few seconds, and each schedule that violates an invariant immediately. */
export const progressOf = (
  schedules: number,
  onProgress: (text: string) => void,
  now: () => number = () => performance.now(),
): OnPart => {
  const started = now()
  let reported = started
  let sum: Summary | undefined
  return (part) => {
    sum = sum ? together(sum, part) : part
    for (const failure of part.failures) onProgress(failureText(failure))
    const done = sum.counts.schedules
    if (now() - reported < EVERY_MS && done < schedules) return
    reported = now()
    const seconds = Math.round((reported - started) / 1000)
    onProgress(`simulation: ${done} of ${schedules} schedules, ${sum.failures.length} violated, ${seconds} s`)
  }
}
