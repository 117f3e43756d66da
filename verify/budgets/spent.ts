import type { Admission } from '../over-admission/use.ts'
import type { Budget } from './scenarios.ts'

/** Money in micro-dollars. */
export interface Spending {
  readonly spent: number
  readonly allowed: number
  readonly over: number
}

const SECOND_NS = 1e9

/** A call that was admitted, and what it cost in the end. */
interface Expense {
  /** ns since the first one. */
  readonly at: number
  readonly micros: number
}

/**
 * What was spent beside what is allowed, from the log of admissions alone: the budget once in a window of the calendar. Windows
 * from their first use on begin at least their length apart, so that up to any time t after the first use at most 1 + t / length
 * of them have begun; the time that comes nearest to its bound is reported.
 */
export const spendingOf = ({ micros, windowSeconds }: Budget, admissions: readonly Admission[]): Spending => {
  let worst: Spending = { spent: 0, allowed: micros, over: 0 }
  let spent = 0
  for (const expense of expensesOf(admissions)) {
    spent += expense.micros
    const windows = windowSeconds === undefined ? 1 : 1 + Math.floor(expense.at / (windowSeconds * SECOND_NS))
    const allowed = micros * windows
    if (spent - allowed > worst.spent - worst.allowed)
      worst = { spent, allowed, over: Math.max(0, spent - allowed) }
  }
  return worst
}

const expensesOf = (admissions: readonly Admission[]): readonly Expense[] => {
  const expenses = admissions.map(({ chargedAt, sentAt, reserved, settled }) => ({
    at: chargedAt[0] ?? sentAt,
    micros: (settled?.used ?? reserved).cost_usd_micros ?? 0,
  }))
  expenses.sort((a, b) => Number(a.at - b.at))
  const first = expenses[0]?.at ?? 0n
  return expenses.map(({ at, micros }) => ({ at: Number(at - first), micros }))
}

/** The spending that exceeds its bound by the most, or comes nearest to it. */
export const worstOf = (spendings: readonly Spending[]): Spending =>
  spendings.reduce((worst, each) => (each.spent - each.allowed > worst.spent - worst.allowed ? each : worst))
