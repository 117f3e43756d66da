import { readFileSync } from 'node:fs'

/** An own field of JSON that another program printed; undefined if it is missing. */
export const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined

/** The contents of `npm audit --json`. */
export interface AuditResult {
  /** Why the registry returned no advisories. Undefined: it returned them. */
  readonly unavailable: string | undefined
  /** `package: title (URL)` of each unexplained advisory. */
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

/** `via` also contains names of packages that are affected through others; those have an entry of their own. */
const advisoriesOf = (name: string, vulnerability: unknown) =>
  entriesOf(fieldOf(vulnerability, 'via')).flatMap(([, via]) => {
    const url = fieldOf(via, 'url')
    return typeof url === 'string' ? [{ url, text: `${name}: ${fieldOf(via, 'title')} (${url})` }] : []
  })

/** Reads the output of `npm audit --json`; `explained` contains reasons by the URL of an advisory. */
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

/**
 * The counts of a JSON report of vitest, or of `npm run verify`. A suite that did not reach its tests, and a missing
 * report, count as a failure.
 */
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
 * The sum of vitest's JSON reports. `failedRuns`: test runs with a failing exit code; if the reports contain fewer
 * failures than that, each run counts as one. `failedSteps`: other failed steps, each counted as one.
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

/** The counts in the format of vitest's JSON report. */
export interface JunitSum {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly success: boolean
}

/** The counts of a JUnit report, as pytest writes it. A skipped test, and a report without tests, count as a failure. */
export const sumJunitReport = (xml: string): JunitSum => {
  const [suite = ''] = /<testsuite [^>]*>/.exec(xml) ?? []
  const count = (name: string): number => Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1] ?? 0)
  const failed = count('failures') + count('errors') + count('skipped')
  const numPassedTests = Math.max(0, count('tests') - failed)
  const success = failed === 0 && numPassedTests > 0
  return { numPassedTests, numFailedTests: success ? 0 : Math.max(1, failed), success }
}

/** The counts in the format of vitest's JSON report. A passed test is a request whose response conforms to the document. */
export interface FuzzSum {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly success: boolean
}

const UNREADABLE_FUZZ_REPORT: FuzzSum = { numPassedTests: 0, numFailedTests: 1, success: false }

/** The sum of schemathesis's JSON reports. A missing report, or one without a request, counts as a failure. */
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
