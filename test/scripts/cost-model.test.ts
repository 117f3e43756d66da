import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { costTable, decisionWrites, monthlyCost, totalOf } from '../../scripts/cost-model.ts'

test('is one write per bucket and request if decisions are exact', () => {
  expect(decisionWrites(10, 'exact')).toBe(20)
  // 20 writes and 4.2 of the aggregator per second
  expect(monthlyCost(10, 'exact').dynamoDb).toBeCloseTo((24.2 * 2_628_000 * 0.625) / 1e6, 6)
})

test('is never higher with leases, which are charged at most four times per second', () => {
  for (const rate of [0.1, 1, 10, 100, 1000]) {
    expect(decisionWrites(rate, 'leased')).toBeLessThanOrEqual(decisionWrites(rate, 'exact'))
    expect(totalOf(monthlyCost(rate, 'leased'))).toBeLessThanOrEqual(totalOf(monthlyCost(rate, 'exact')))
  }
  // one instance: the parent's bucket by leases, the key's bucket per request
  expect(decisionWrites(20, 'leased')).toBe(20 + 4)
})

test('is in the documentation as computed', () => {
  const document = readFileSync(new URL('../../docs/cost.md', import.meta.url), 'utf8')
  expect(document).toContain(costTable())
})
