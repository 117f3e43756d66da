import { openBenchTable } from '../../bench/table.ts'
import { type Column, markdownTable } from '../markdown.ts'
import { runScenario, type ScenarioLog } from '../over-admission/run-scenario.ts'
import type { Load } from '../over-admission/scenario.ts'
import type { Part } from '../part.ts'
import { type Budget, type BudgetScenario, budgetScenarios } from './scenarios.ts'
import { type Spending, spendingOf, worstOf } from './spent.ts'

export interface BudgetOptions {
  readonly load: Load
  /** Called before each scenario. */
  onProgress(text: string): void
}

interface BudgetRow extends Spending {
  readonly scenario: string
  readonly prices: string
  readonly budget: string
  readonly calls: number
  readonly admitted: number
  readonly denied: number
  readonly errors: number
  readonly writesPerCall: number
  readonly isSoftCap: boolean
}

/** 64 callers on 3 nodes. */
export const BUDGET_LOAD: Load = { nodes: 3, callers: 22, total: 64, seconds: 2 }

/** Compares what concurrent calls spend with what their budgets allow, on a real engine. */
export const budgetsPart = ({ load, onProgress }: BudgetOptions): Part => ({
  name: 'budgets',
  title: 'Spent beside allowed',
  async run() {
    const rows: BudgetRow[] = []
    for (const scenario of budgetScenarios(load)) {
      onProgress(`${scenario.name} …`)
      rows.push(...(await measure(scenario)))
    }
    const failures = rows.flatMap((row) => failureOf(row) ?? [])
    const [passed, failed] = [rows.length - failures.length, failures.length]
    return { rows, markdown: markdownTable(COLUMNS, rows), failures, passed, failed }
  },
})

/** Each scenario has its own engine, so that none affects the next. */
const measure = async (scenario: BudgetScenario): Promise<readonly BudgetRow[]> => {
  const table = await openBenchTable()
  try {
    const log = await runScenario(table, { ...scenario, watched: [] })
    return scenario.budgets.map((budget) => rowOf(scenario, budget, log))
  } finally {
    await table.close()
  }
}

const rowOf = (scenario: BudgetScenario, budget: Budget, log: ScenarioLog): BudgetRow => {
  const { admissions, requests, denied, errors, writes } = log
  const groups = budget.isPerEntity
    ? scenario.entityIds.map((id) => admissions.filter(({ entityId }) => entityId === id))
    : [admissions]
  return {
    scenario: scenario.name,
    prices: scenario.prices,
    budget: textOf(budget),
    calls: requests,
    admitted: admissions.length,
    ...worstOf(groups.map((group) => spendingOf(budget, group))),
    denied,
    errors,
    writesPerCall: writes / requests,
    isSoftCap: scenario.isSoftCap ?? false,
  }
}

const textOf = ({ micros, window, windowSeconds, isPerEntity }: Budget): string => {
  const span = windowSeconds === undefined ? `per ${window}` : `in ${windowSeconds} s from the first use`
  return `${dollars(micros)} ${span}${isPerEntity ? ', each key' : ''}`
}

const dollars = (micros: number): string => `$${(micros / 1e6).toFixed(micros % 10_000 === 0 ? 2 : 6)}`

/** A soft cap that is not overspent would be no comparison. */
const failureOf = ({ scenario, spent, allowed, over, errors, isSoftCap }: BudgetRow): string | undefined => {
  if (errors > 0) return `${scenario}: ${errors} calls ended with an exception`
  if (isSoftCap) return over > 0 ? undefined : `${scenario}: not overspent`
  return over > 0 ? `${scenario}: ${dollars(spent)} spent where ${dollars(allowed)} are allowed` : undefined
}

const COLUMNS: readonly Column<BudgetRow>[] = [
  ['scenario', ({ scenario }) => scenario],
  ['prices', ({ prices }) => prices],
  ['budget', ({ budget }) => budget],
  ['calls', ({ calls }) => calls],
  ['admitted', ({ admitted }) => admitted],
  ['spent', ({ spent }) => dollars(spent)],
  ['allowed', ({ allowed }) => dollars(allowed)],
  ['over', ({ over }) => `**${dollars(over)}**`],
  ['of the budget', ({ spent, allowed }) => `${((100 * spent) / allowed).toFixed(1)} %`],
  ['denied', ({ denied }) => denied],
  ['errors', ({ errors }) => errors],
  ['writes per call', ({ writesPerCall }) => writesPerCall.toFixed(2)],
]
