import { availableParallelism } from 'node:os'
import { type Column, markdownTable } from '../markdown.ts'
import type { Finding, Part } from '../part.ts'
import { withBundle } from './faults/bundled.ts'
import { type Hunted, huntAll } from './faults/hunt.ts'
import { INVARIANTS } from './invariants/violations.ts'
import { progressOf } from './progress.ts'
import { runSeedsTogether } from './run-seeds.ts'
import { failureText } from './simulate.ts'
import { COUNT_NAMES, type Summary } from './summary.ts'

export interface SimulationOptions {
  readonly schedules: number
  /** The first seed of the schedules. */
  readonly from: number
  /** The maximum number of seeds per planted fault. */
  readonly hunted: number
  onProgress(text: string): void
}

/** Runs schedules on all cores, then each planted fault until a schedule shows it. */
export const simulationPart = ({ schedules, from, hunted, onProgress }: SimulationOptions): Part => ({
  name: 'simulation',
  title: 'the limiter in simulated time, on nodes and a table that fail',
  async run(): Promise<Finding> {
    const cores = availableParallelism()
    onProgress(`simulation: ${schedules} schedules on ${cores} cores`)
    const started = performance.now()
    const summary = await withBundle(undefined, (script) =>
      runSeedsTogether(
        script,
        { first: from, last: from + schedules - 1 },
        cores,
        progressOf(schedules, onProgress),
      ),
    )
    const seconds = Math.round((performance.now() - started) / 1000)
    const found = await huntAll(hunted, cores, ({ fault, seed }) =>
      onProgress(`planted: ${fault}: ${seed === undefined ? 'not found' : `found by seed ${seed}`}`),
    )
    return {
      rows: [...rowsOf(summary, seconds), ...found],
      ...checksOf(summary, found),
      markdown: `${markdownTable(COLUMNS, rowsOf(summary, seconds))}\n\n${markdownTable(FAULT_COLUMNS, found)}`,
      failures: [...summary.failures.map(failureText), ...missedIn(found)],
    }
  },
})

/** An invariant passes if all schedules hold it; a planted fault passes if a schedule shows it. */
const checksOf = ({ failures }: Summary, found: readonly Hunted[]) => {
  const broken = new Set(failures.flatMap(({ violated }) => violated.map(({ invariant }) => invariant))).size
  const missed = missedIn(found).length
  return {
    passed: Object.keys(INVARIANTS).length - broken + found.length - missed,
    failed: broken + missed,
  }
}

interface Row {
  readonly what: string
  readonly value: number | string
}

const rowsOf = (
  { counts, leastShare, longestWaitNs, failures }: Summary,
  seconds: number,
): readonly Row[] => [
  ...COUNT_NAMES.map((name) => ({ what: name, value: counts[name] })),
  { what: '**schedules that violate an invariant**', value: `**${failures.length}**` },
  {
    what: 'smallest share admitted of the guaranteed amount under steady demand, without failures',
    value: percent(leastShare.calm),
  },
  { what: 'the same, with failing calls', value: percent(leastShare.faulty) },
  { what: 'longest wait of a request', value: `${Math.round(longestWaitNs / 1e6)} ms` },
  { what: 'real time', value: `${seconds} s` },
]

const percent = (share: number): string => (share > 1e6 ? '–' : `${(100 * share).toFixed(1)} %`)

const COLUMNS: readonly Column<Row>[] = [
  ['', ({ what }) => what],
  ['', ({ value }) => value],
]

const FAULT_COLUMNS: readonly Column<Hunted>[] = [
  ['planted fault', ({ fault }) => fault],
  ['first seed that shows it', ({ seed }) => seed ?? '**none**'],
  ['by', ({ invariants }) => invariants.join(', ')],
]

const missedIn = (found: readonly Hunted[]): readonly string[] =>
  found.flatMap(({ fault, seed }) => (seed === undefined ? [`not found: ${fault}`] : []))
