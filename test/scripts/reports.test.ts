import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { auditResult, sumFuzzReports, sumJunitReport, sumReports } from '../../scripts/reports.ts'

const ADVISORY = 'https://advisories.example/GHSA-1'

const auditReport = JSON.stringify({
  vulnerabilities: {
    direct: { severity: 'high', via: ['nested'] },
    nested: { severity: 'high', via: [{ title: 'Reads too much', url: ADVISORY }] },
  },
})

test('names each advisory once, with its package', () => {
  expect(auditResult(auditReport, {})).toEqual({
    unavailable: undefined,
    unexplained: [`nested: Reads too much (${ADVISORY})`],
  })
})

test('leaves out advisories that are explained', () => {
  expect(auditResult(auditReport, { [ADVISORY]: 'a test tool only' }).unexplained).toEqual([])
})

test('finds nothing in a clean report', () => {
  expect(auditResult('{ "vulnerabilities": {} }', {})).toEqual({ unavailable: undefined, unexplained: [] })
})

test.each([
  ['{ "statusCode": 405, "message": "Method Not Allowed" }', "the registry's response is 405"],
  ['', 'npm audit printed no report'],
])('reports a registry without advisories: %s', (stdout, reason) => {
  expect(auditResult(stdout, {})).toEqual({ unavailable: reason, unexplained: [] })
})

let directory: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'zael-sum-test-'))
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

let reports = 0

const report = (content: unknown): string => {
  const file = join(directory, `${reports++}.json`)
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

const good = (passed: number) => report({ success: true, numPassedTests: passed, numFailedTests: 0 })

test('adds the passed tests', () => {
  expect(sumReports([good(3), good(4)])).toEqual({ passed: 7, failed: 0 })
})

test.for([
  {
    what: 'failed tests',
    content: { success: false, numPassedTests: 5, numFailedTests: 2 },
    passed: 5,
    failed: 2,
  },
  {
    what: 'a suite that did not load',
    content: { success: false, numPassedTests: 5, numFailedTests: 0 },
    passed: 5,
    failed: 1,
  },
  {
    what: 'no test at all',
    content: { success: true, numPassedTests: 0, numFailedTests: 0 },
    passed: 0,
    failed: 1,
  },
  { what: 'half a report', content: '{ "success": tr', passed: 0, failed: 1 },
])('is never green with $what', ({ content, passed, failed }) => {
  expect(sumReports([good(3), report(content)])).toEqual({ passed: 3 + passed, failed })
})

test('is never green without a report', () => {
  expect(sumReports([good(3), join(directory, 'missing.json')])).toEqual({ passed: 3, failed: 1 })
})

test('counts failed steps, and failed runs without a failure in their reports', () => {
  expect(sumReports([good(3)], { failedSteps: 2 })).toEqual({ passed: 3, failed: 2 })
  expect(sumReports([good(3)], { failedRuns: 1 })).toEqual({ passed: 3, failed: 1 })
  const failing = report({ success: false, numPassedTests: 5, numFailedTests: 2 })
  expect(sumReports([failing], { failedRuns: 1 })).toEqual({ passed: 5, failed: 2 })
})

const fuzzDirectory = mkdtempSync(join(tmpdir(), 'zael-fuzz-report-'))

afterAll(() => rmSync(fuzzDirectory, { recursive: true }))

const file = (name: string, report: unknown): string => {
  const path = join(fuzzDirectory, `${name}.json`)
  writeFileSync(path, typeof report === 'string' ? report : JSON.stringify(report))
  return path
}

const cases = (generated: number, with_failures = 0, unique_failures = 0, errored = 0) => ({
  exit_code: with_failures + errored > 0 ? 1 : 0,
  test_cases: { generated, with_failures, unique_failures, errored },
})

test.each([
  ['passed', [cases(10), cases(5)], 15, 0, true],
  ['failed', [cases(10, 3, 2), cases(5)], 12, 2, false],
  ['could not be sent', [cases(10, 0, 0, 1)], 10, 1, false],
  ['ended badly', [{ ...cases(10), exit_code: 2 }], 10, 1, false],
  ['were none', [cases(0)], 0, 1, false],
  ['are unknown', ['no JSON'], 0, 1, false],
])('requests that %s are counted', (_, reports, numPassedTests, numFailedTests, success) => {
  const sum = sumFuzzReports(reports.map((report, index) => file(`${index}`, report)))
  expect(sum).toEqual({ numPassedTests, numFailedTests, success })
  expect(sumReports([file('sum', sum)])).toEqual({ passed: numPassedTests, failed: numFailedTests })
})

test('a missing report is a failure', () => {
  expect(sumFuzzReports([join(fuzzDirectory, 'nowhere.json')]).success).toBe(false)
})

test.each([
  ['passed', 'tests="5" errors="0" failures="0" skipped="0"', 5, 0, true],
  ['failed', 'errors="0" failures="2" skipped="0" tests="5"', 3, 2, false],
  ['were not collected', 'errors="1" failures="0" skipped="0" tests="1"', 0, 1, false],
  ['were skipped', 'errors="0" failures="0" skipped="1" tests="5"', 4, 1, false],
  ['were none', 'errors="0" failures="0" skipped="0" tests="0"', 0, 1, false],
  ['are unknown', '', 0, 1, false],
])('tests of pytest that %s are counted', (_, counts, numPassedTests, numFailedTests, success) => {
  const xml = `<?xml version="1.0"?><testsuites name="pytest tests"><testsuite name="pytest" ${counts} time="1.5">`
  expect(sumJunitReport(xml)).toEqual({ numPassedTests, numFailedTests, success })
})
