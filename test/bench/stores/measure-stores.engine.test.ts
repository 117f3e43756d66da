import { beforeAll, expect, test } from 'vitest'
import { measureStores, type StoreRow } from '../../../bench/stores/measure-stores.ts'
import { findingOf } from '../../../bench/stores/stores-part.ts'
import { openBenchTable } from '../../../bench/table.ts'

let rows: readonly StoreRow[]

beforeAll(async () => {
  const table = await openBenchTable()
  try {
    const length = { callers: 8, keys: 20, seconds: 0.1, rounds: 2, warmUpSeconds: 0.05 }
    rows = await measureStores(table, length, () => {})
  } finally {
    await table.close()
  }
})

const row = (scenario: StoreRow['scenario'], contender: string): StoreRow => {
  const found = rows.find((each) => each.scenario === scenario && each.contender === contender)
  if (found === undefined) throw new Error(`${contender} has no row of ${scenario}`)
  return found
}

test('measures every contender in every scenario that it takes part in', () => {
  expect(rows.map(({ scenario, contender }) => `${scenario} ${contender}`)).toEqual([
    ...['hot-key', 'many-keys', 'cascade'].flatMap((scenario) =>
      ['raw', 'flexible', 'exact', 'leased'].map((contender) => `${scenario} ${contender}`),
    ),
    ...['raw', 'flexible', 'blocking', 'exact', 'leased'].map((contender) => `denied ${contender}`),
  ])
  for (const { perSecond, p99Ms } of rows) {
    expect(perSecond).toBeGreaterThan(0)
    expect(p99Ms).toBeGreaterThanOrEqual(0)
  }
})

test('counts and bills the writes of each contender, including failed conditions', () => {
  expect(row('hot-key', 'raw')).toMatchObject({ writesPerDecision: 1, dollarsPerMillion: 0.625 })
  expect(row('cascade', 'raw')).toMatchObject({ writesPerDecision: 2, dollarsPerMillion: 1.25 })
  expect(row('denied', 'raw')).toMatchObject({ writesPerDecision: 1, dollarsPerMillion: 0.625 })
  expect(row('many-keys', 'flexible')).toMatchObject({ writesPerDecision: 2, dollarsPerMillion: 1.25 })
  expect(row('denied', 'flexible')).toMatchObject({ writesPerDecision: 2, dollarsPerMillion: 1.25 })
  expect(row('denied', 'blocking').writesPerDecision).toBeLessThan(0.01)
})

test('includes the aggregator only for contenders that have one', () => {
  for (const { contender, usageWritesPerDecision } of rows) {
    const hasAggregator = contender === 'exact' || contender === 'leased'
    expect(usageWritesPerDecision > 0, contender).toBe(hasAggregator)
  }
  const { writesPerDecision, readsPerDecision, usageWritesPerDecision, dollarsPerMillion } = row(
    'hot-key',
    'exact',
  )
  const dollars = 0.625 * (writesPerDecision + usageWritesPerDecision) + 0.125 * readsPerDecision
  expect(dollarsPerMillion).toBeCloseTo(dollars, 10)
})

test('takes fewer writes with leases than without', () => {
  const [leased, exact] = [row('hot-key', 'leased'), row('hot-key', 'exact')]
  expect(leased.writesPerDecision).toBeLessThan(exact.writesPerDecision)
})

test('presents the results in tables, goals and charts', () => {
  const { markdown, goals, charts } = findingOf(rows)
  expect(markdown.split('\n').filter((line) => line.startsWith('| zael, leased'))).toHaveLength(4)
  for (const { value } of goals) expect(value).not.toBeNaN()
  for (const { svg } of charts) {
    expect(svg).toContain('zael, leased')
    expect(svg).not.toMatch(/NaN|undefined|Infinity/)
  }
})
