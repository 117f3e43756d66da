import { expect, test } from 'vitest'
import { auditResult } from '../../scripts/audit-result.ts'

const ADVISORY = 'https://advisories.example/GHSA-1'
const report = JSON.stringify({
  vulnerabilities: {
    direct: { severity: 'high', via: ['nested'] },
    nested: { severity: 'high', via: [{ title: 'Reads too much', url: ADVISORY }] },
  },
})

test('names each advisory once, with its package', () => {
  expect(auditResult(report, {})).toEqual({
    unavailable: undefined,
    unexplained: [`nested: Reads too much (${ADVISORY})`],
  })
})

test('leaves out advisories that are explained', () => {
  expect(auditResult(report, { [ADVISORY]: 'a test tool only' }).unexplained).toEqual([])
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
