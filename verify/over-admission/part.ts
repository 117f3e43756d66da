import { openBenchTable } from '../../bench/table.ts'
import { type Column, markdownTable } from '../markdown.ts'
import type { Part } from '../part.ts'
import { measureOverAdmission, type OverAdmissionRow } from './measure.ts'
import type { Load, Scenario } from './scenario.ts'
import { overAdmissionScenarios } from './scenarios.ts'

export interface OverAdmissionOptions {
  readonly load: Load
  /** Only scenarios whose name starts with this text. Undefined: all. */
  readonly only?: string
  /** Called before each scenario. */
  onProgress(text: string): void
}

/** Compares the admitted amount with the allowed amount, on a real engine. */
export const overAdmissionPart = (options: OverAdmissionOptions): Part => ({
  name: 'over-admission',
  title: 'Admitted beside allowed',
  async run() {
    const rows = await measureAll(options)
    const isOver = ({ over, errors }: OverAdmissionRow): boolean => over > 0 || errors > 0
    const failures = rows.filter(isOver).map(failureOf)
    const [passed, failed] = [rows.length - failures.length, failures.length]
    return { rows, markdown: markdownTable(COLUMNS, rows), failures, passed, failed }
  },
})

const measureAll = async (options: OverAdmissionOptions): Promise<readonly OverAdmissionRow[]> => {
  const { load, only = '', onProgress } = options
  const rows: OverAdmissionRow[] = []
  for (const scenario of overAdmissionScenarios(load).filter(({ name }) => name.startsWith(only))) {
    onProgress(`${scenario.name}: ${callersOf(scenario)} …`)
    rows.push(...(await measureOne(scenario)))
  }
  return rows
}

/** Each scenario has its own engine, so that none affects the next. */
const measureOne = async (scenario: Scenario): Promise<readonly OverAdmissionRow[]> => {
  const table = await openBenchTable()
  try {
    return await measureOverAdmission(table, scenario)
  } finally {
    await table.close()
  }
}

const callersOf = ({ load }: Scenario): string => `${load.nodes} nodes × ${load.callers} callers`

const failureOf = ({ scenario, limit, used, allowed, over, errors }: OverAdmissionRow): string =>
  over > 0
    ? `${scenario}, ${limit}: ${used} admitted where ${allowed} are allowed`
    : `${scenario}: ${errors} requests ended with an exception`

const share = (value: number): string => (Number.isNaN(value) ? '–' : `${(value * 100).toFixed(1)} %`)

const COLUMNS: readonly Column<OverAdmissionRow>[] = [
  ['scenario', ({ scenario }) => scenario],
  ['callers', ({ callers }) => callers],
  ['limit', ({ limit }) => limit],
  ['requests', ({ requests }) => requests],
  ['admitted', ({ used }) => used],
  ['allowed', ({ allowed }) => allowed],
  ['over', ({ over }) => `**${over}**`],
  ['admitted in all', ({ admitted }) => admitted],
  ['of the limit', (row) => share(row.share)],
  ['denied', ({ denied }) => denied],
  ['degraded', ({ degraded }) => degraded],
  ['errors', ({ errors }) => errors],
  ['writes per decision', ({ writesPerDecision }) => writesPerDecision.toFixed(2)],
]
