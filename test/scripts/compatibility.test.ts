import { describe, expect, test } from 'vitest'
import { CLIENTS, type ClientProgram } from '../../scripts/compatibility/clients.ts'
import { reportOf, rowOf } from '../../scripts/compatibility/results.ts'
import { withTables } from '../../scripts/compatibility/table.ts'

const [client] = CLIENTS as readonly [ClientProgram]

const check = (reason?: string, target = 'upstream') => ({ feature: 'retry' as const, target, reason })

const limited: ClientProgram = {
  ...client,
  limitations: { retry: { reason: 'It does not wait.', failure: /responses were/ } },
}

describe('a cell', () => {
  test.each([
    ['is yes if every check passed', client, [check(), check()], { kind: 'yes' }],
    [
      'has failed if one check failed',
      client,
      [check(), check('no text', 'simulated')],
      { kind: 'failed', reason: 'simulated: no text' },
    ],
    ['is not offered without a check', client, [], { kind: 'not offered' }],
    [
      'is no if the limitation was observed',
      limited,
      [check('the responses were 200')],
      { kind: 'no', reason: 'It does not wait.' },
    ],
    [
      'has failed if the check of a limitation failed in another way',
      limited,
      [check('Connection error')],
      { kind: 'failed', reason: 'upstream: Connection error' },
    ],
    [
      'has failed if the check of a limitation passed',
      limited,
      [check()],
      { kind: 'failed', reason: 'passes, although it is listed as a limitation: It does not wait.' },
    ],
  ] as const)('%s', (_, program, checks, expected) => {
    expect(rowOf({ client: program, checks }, '1.0.0').cells.retry).toEqual(expected)
  })
})

test('the report counts cells, and fails without any', () => {
  const passed = rowOf({ client, checks: [check()] }, '1.0.0')
  const failed = rowOf({ client, checks: [check('x')] }, '1.0.0')
  expect(reportOf([passed])).toEqual({ numPassedTests: 1, numFailedTests: 0, success: true })
  expect(reportOf([passed, failed])).toEqual({ numPassedTests: 1, numFailedTests: 1, success: false })
  expect(reportOf([rowOf({ client, checks: [] }, '1.0.0')])).toMatchObject({ success: false })
})

test('the tables of a document are replaced, and a reason is one footnote', () => {
  const row = rowOf({ client: limited, checks: [check('the responses were 429')] }, '1.0.0')
  const begin = '<!-- begin: npm run test:compatibility -- --write -->'
  const document = withTables(`before\n${begin}\nold\n<!-- end -->\nafter\n`, [row, row])
  expect(document).not.toContain('old')
  expect(document).toMatch(/^before\n.*\n<!-- end -->\nafter\n$/s)
  expect(document.match(/ no <sup>1<\/sup> /g)).toHaveLength(2)
  expect(document.match(/It does not wait\./g)).toHaveLength(1)
  expect(withTables(document, [row, row])).toBe(document)
  expect(() => withTables('nothing', [row])).toThrow('does not contain')
})
