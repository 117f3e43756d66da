import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { sumFuzzReports } from '../../scripts/fuzz-report.ts'
import { sumReports } from '../../scripts/test-reports.ts'

const directory = mkdtempSync(join(tmpdir(), 'zael-fuzz-report-'))
afterAll(() => rmSync(directory, { recursive: true }))

const file = (name: string, report: unknown): string => {
  const path = join(directory, `${name}.json`)
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

test('a report that is missing is a failure', () => {
  expect(sumFuzzReports([join(directory, 'nowhere.json')]).success).toBe(false)
})
