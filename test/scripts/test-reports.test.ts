import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sumReports } from '../../scripts/test-reports.ts'

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

test('adds what passed', () => {
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

test('counts steps beside the tests, and runs that failed though their reports do not say so', () => {
  expect(sumReports([good(3)], { failedSteps: 2 })).toEqual({ passed: 3, failed: 2 })
  expect(sumReports([good(3)], { failedRuns: 1 })).toEqual({ passed: 3, failed: 1 })
  const failing = report({ success: false, numPassedTests: 5, numFailedTests: 2 })
  expect(sumReports([failing], { failedRuns: 1 })).toEqual({ passed: 5, failed: 2 })
})
