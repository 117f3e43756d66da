import { simulate } from './simulate.ts'
import { type Summary, summaryOf, together } from './summary.ts'

/*
 * A process that runs the seeds from <first> to <last>, every <step>th, and says what they came to as JSON. With `first-failure`
 * it ends with the first seed that fails.
 */
const [first = 1, last = 1, step = 1] = process.argv.slice(2, 5).map(Number)
const isFirstFailureEnough = process.argv[5] === 'first-failure'

/** Infinity is not JSON. */
const PLAIN = (_: string, value: unknown): unknown => (value === Number.POSITIVE_INFINITY ? 1e9 : value)

let sum: Summary | undefined
for (let seed = first; seed <= last; seed += step) {
  const summary = summaryOf(await simulate(seed))
  sum = sum ? together(sum, summary) : summary
  if (isFirstFailureEnough && sum.failures.length > 0) break
}
process.stdout.write(JSON.stringify(sum ?? null, PLAIN))
