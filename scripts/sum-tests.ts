import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

interface Sum {
  readonly passed: number
  readonly failed: number
}

const numberOf = (report: object, key: string): number => {
  const value: unknown = Object.entries(report).find(([name]) => name === key)?.[1]
  return typeof value === 'number' ? value : 0
}

/** What a JSON report of vitest says; a suite that never got to its tests, or a report that is missing, is a failure. */
const sumOf = (file: string): Sum => {
  try {
    const report: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (report === null || typeof report !== 'object') return { passed: 0, failed: 1 }
    const passed = numberOf(report, 'numPassedTests')
    const failed = numberOf(report, 'numFailedTests')
    const success = Object.entries(report).some(([key, value]) => key === 'success' && value === true)
    return { passed, failed: success && passed > 0 ? failed : Math.max(1, failed) }
  } catch {
    return { passed: 0, failed: 1 }
  }
}

const { values, positionals } = parseArgs({
  options: {
    'failed-steps': { type: 'string', default: '0' },
    // Runs of tests that ended badly: their reports should say why; where they do not, each counts.
    'failed-runs': { type: 'string', default: '0' },
  },
  allowPositionals: true,
})
const sums = positionals.map(sumOf)
const passed = sums.reduce((sum, report) => sum + report.passed, 0)
const failedTests = sums.reduce((sum, report) => sum + report.failed, 0)
const failed = Math.max(failedTests, Number(values['failed-runs'])) + Number(values['failed-steps'])
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
