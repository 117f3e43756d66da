import type { OnPart } from './run-seeds.ts'
import { failureText } from './simulate.ts'
import { type Summary, together } from './summary.ts'

const EVERY_MS = 5000

/** Tells how far a run of schedules is, every few seconds, and each schedule that breaks a promise as soon as it is known. */
export const progressOf = (
  schedules: number,
  onProgress: (text: string) => void,
  now: () => number = () => performance.now(),
): OnPart => {
  const started = now()
  let told = started
  let sum: Summary | undefined
  return (part) => {
    sum = sum ? together(sum, part) : part
    for (const failure of part.failures) onProgress(failureText(failure))
    const done = sum.counts.schedules
    if (now() - told < EVERY_MS && done < schedules) return
    told = now()
    const seconds = Math.round((told - started) / 1000)
    onProgress(`simulation: ${done} of ${schedules} schedules, ${sum.failures.length} broken, ${seconds} s`)
  }
}
