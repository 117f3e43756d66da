import { readFileSync } from 'node:fs'

export interface TestSum {
  readonly passed: number
  readonly failed: number
}

const UNREADABLE: TestSum = { passed: 0, failed: 1 }

const numberOf = (report: object, key: string): number => {
  const value: unknown = Object.entries(report).find(([name]) => name === key)?.[1]
  return typeof value === 'number' ? value : 0
}

/** What a JSON report of vitest, or of `npm run verify`, says; a suite that never got to its tests, or a report that is missing, is a failure. */
const sumOf = (file: string): TestSum => {
  try {
    const report: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (report === null || typeof report !== 'object') return UNREADABLE
    const passed = numberOf(report, 'numPassedTests')
    const failed = numberOf(report, 'numFailedTests')
    const success = Object.entries(report).some(([key, value]) => key === 'success' && value === true)
    return { passed, failed: success && passed > 0 ? failed : Math.max(1, failed) }
  } catch {
    return UNREADABLE
  }
}

/**
 * The sum of vitest's JSON reports. `failedRuns`: runs of tests that ended badly; their reports should say why, and
 * where they do not, each counts as one failure. `failedSteps`: what else failed.
 */
export const sumReports = (
  files: readonly string[],
  { failedRuns = 0, failedSteps = 0 }: { readonly failedRuns?: number; readonly failedSteps?: number } = {},
): TestSum => {
  const sums = files.map(sumOf)
  const passed = sums.reduce((sum, report) => sum + report.passed, 0)
  const failedTests = sums.reduce((sum, report) => sum + report.failed, 0)
  return { passed, failed: Math.max(failedTests, failedRuns) + failedSteps }
}
