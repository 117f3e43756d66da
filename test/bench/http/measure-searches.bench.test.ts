import { expect, test } from 'vitest'
import { measureSearches } from '../../../bench/http/measure-searches.ts'
import { searchesFinding } from '../../../bench/http/searches-part.ts'

test('measures decisions of both kinds while viewers search, and no response is an error', async () => {
  const rows = await measureSearches({ entities: 200, searchers: 2, seconds: 1, rounds: 1 }, () => {})
  expect(rows.map(({ decisions }) => decisions)).toEqual(['leased', 'exact', 'leased', 'exact'])
  for (const { pagesPerSecond, p50AloneMs, p50SearchedMs } of rows) {
    expect(pagesPerSecond).toBeGreaterThan(0)
    expect(p50AloneMs).toBeGreaterThan(0)
    expect(p50SearchedMs).toBeGreaterThan(0)
  }
  const { goals } = searchesFinding(rows)
  expect(goals.map(({ value }) => value)).toEqual([
    Math.max(...rows.map(({ p50SearchedMs }) => p50SearchedMs)),
  ])
})
