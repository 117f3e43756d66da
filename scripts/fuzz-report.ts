import { readFileSync } from 'node:fs'
import { fieldOf } from './audit-result.ts'

/** Counts as a JSON report of vitest states them. A passed test is a request whose response kept to the document. */
export interface FuzzSum {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly success: boolean
}

const UNREADABLE: FuzzSum = { numPassedTests: 0, numFailedTests: 1, success: false }

/** The sum of schemathesis's JSON reports. One that is missing, or that contains no request, counts as a failure. */
export const sumFuzzReports = (files: readonly string[]): FuzzSum => {
  const sums = files.map(sumOf)
  return {
    numPassedTests: sums.reduce((sum, { numPassedTests }) => sum + numPassedTests, 0),
    numFailedTests: sums.reduce((sum, { numFailedTests }) => sum + numFailedTests, 0),
    success: sums.length > 0 && sums.every(({ success }) => success),
  }
}

const sumOf = (file: string): FuzzSum => {
  try {
    return countsIn(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return UNREADABLE
  }
}

const countsIn = (report: unknown): FuzzSum => {
  const cases = fieldOf(report, 'test_cases')
  const [generated, withFailures] = [numberOf(cases, 'generated'), numberOf(cases, 'with_failures')]
  const passed = Math.max(0, generated - withFailures)
  const failed = numberOf(cases, 'unique_failures') + numberOf(cases, 'errored')
  const success = numberOf(report, 'exit_code', 1) === 0 && failed === 0 && passed > 0
  return { numPassedTests: passed, numFailedTests: success ? 0 : Math.max(1, failed), success }
}

const numberOf = (value: unknown, name: string, fallback = 0): number => {
  const field = fieldOf(value, name)
  return typeof field === 'number' ? field : fallback
}
