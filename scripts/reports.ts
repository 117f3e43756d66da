import { readFileSync } from 'node:fs'

/** An own field of JSON that another program printed; undefined where there is none. */
export const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined

/** What `npm audit --json` printed. */
export interface AuditResult {
  /** Why the registry gave no advisories. Undefined: it did. */
  readonly unavailable: string | undefined
  /** `package: title (URL)` of each advisory that is not explained. */
  readonly unexplained: readonly string[]
}

const entriesOf = (value: unknown): readonly (readonly [string, unknown])[] =>
  value !== null && typeof value === 'object' ? Object.entries(value) : []

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** `via` also holds names of packages that are affected through others; those have an entry of their own. */
const advisoriesOf = (name: string, vulnerability: unknown) =>
  entriesOf(fieldOf(vulnerability, 'via')).flatMap(([, via]) => {
    const url = fieldOf(via, 'url')
    return typeof url === 'string' ? [{ url, text: `${name}: ${fieldOf(via, 'title')} (${url})` }] : []
  })

/** Reads what `npm audit --json` printed; `explained` holds reasons by the URL of an advisory. */
export const auditResult = (stdout: string, explained: Readonly<Record<string, string>>): AuditResult => {
  const report = parsed(stdout)
  const vulnerabilities = fieldOf(report, 'vulnerabilities')
  if (vulnerabilities === undefined) {
    const status = fieldOf(report, 'statusCode')
    const reason =
      status === undefined ? 'npm audit printed no report' : `the registry's response is ${status}`
    return { unavailable: reason, unexplained: [] }
  }
  const advisories = entriesOf(vulnerabilities).flatMap(([name, value]) => advisoriesOf(name, value))
  const unexplained = advisories.filter(({ url }) => explained[url] === undefined).map(({ text }) => text)
  return { unavailable: undefined, unexplained: [...new Set(unexplained)] }
}

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

/** Counts as a JSON report of vitest states them. A passed test is a request whose response kept to the document. */
export interface FuzzSum {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly success: boolean
}

const UNREADABLE_FUZZ_REPORT: FuzzSum = { numPassedTests: 0, numFailedTests: 1, success: false }

/** The sum of schemathesis's JSON reports. One that is missing, or that contains no request, counts as a failure. */
export const sumFuzzReports = (files: readonly string[]): FuzzSum => {
  const sums = files.map(fuzzSumOf)
  return {
    numPassedTests: sums.reduce((sum, { numPassedTests }) => sum + numPassedTests, 0),
    numFailedTests: sums.reduce((sum, { numFailedTests }) => sum + numFailedTests, 0),
    success: sums.length > 0 && sums.every(({ success }) => success),
  }
}

const fuzzSumOf = (file: string): FuzzSum => {
  try {
    return countsIn(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return UNREADABLE_FUZZ_REPORT
  }
}

const countsIn = (report: unknown): FuzzSum => {
  const cases = fieldOf(report, 'test_cases')
  const [generated, withFailures] = [countOf(cases, 'generated'), countOf(cases, 'with_failures')]
  const passed = Math.max(0, generated - withFailures)
  const failed = countOf(cases, 'unique_failures') + countOf(cases, 'errored')
  const success = countOf(report, 'exit_code', 1) === 0 && failed === 0 && passed > 0
  return { numPassedTests: passed, numFailedTests: success ? 0 : Math.max(1, failed), success }
}

const countOf = (value: unknown, name: string, fallback = 0): number => {
  const field = fieldOf(value, name)
  return typeof field === 'number' ? field : fallback
}
