import { simulate } from './simulate.ts'
import { type Summary, summaryOf, together } from './summary.ts'

/*
 * A process that runs the seeds from <first> to <last>, every <step>th, and prints their summaries: a line of JSON for
 * every few seeds, and for each that fails. With `first-failure` it stops at the first seed that fails.
 */
const [first = 1, last = 1, step = 1] = process.argv.slice(2, 5).map(Number)
const isFirstFailureEnough = process.argv[5] === 'first-failure'

const SEEDS_OF_A_LINE = 50

/** JSON has no Infinity. */
const PLAIN = (_: string, value: unknown): unknown => (value === Number.POSITIVE_INFINITY ? 1e9 : value)

let sum: Summary | undefined
const tell = (): void => {
  if (sum) process.stdout.write(`${JSON.stringify(sum, PLAIN)}\n`)
  sum = undefined
}

for (let seed = first; seed <= last; seed += step) {
  const summary = summaryOf(await simulate(seed))
  sum = sum ? together(sum, summary) : summary
  const hasFailed = summary.failures.length > 0
  if (hasFailed || sum.counts.schedules >= SEEDS_OF_A_LINE) tell()
  if (hasFailed && isFirstFailureEnough) break
}
tell()
