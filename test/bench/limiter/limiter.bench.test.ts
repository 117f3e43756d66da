import { afterAll, beforeAll, expect, test } from 'vitest'
import { measureChecks } from '../../../bench/limiter/checks.ts'
import { measureAlone } from '../../../bench/limiter/decide-alone.ts'
import { measureRequests } from '../../../bench/limiter/requests.ts'
import { measureSaturation } from '../../../bench/limiter/saturation.ts'
import { type BenchTable, openBenchTable } from '../../../bench/table.ts'

let table: BenchTable

beforeAll(async () => {
  table = await openBenchTable()
})
afterAll(() => table.close())

test('measures decisions on a leased key', async () => {
  const { decisions, p50Us, p99Us } = await measureAlone(table, 0.2)
  expect(decisions).toBeGreaterThan(0)
  expect(p99Us).toBeGreaterThanOrEqual(p50Us)
})

test('measures checks in memory and on leases beside a peer', async () => {
  const rows = await measureChecks({ calls: 2000, rounds: 1, keys: 50, engineUrl: undefined })
  expect(new Set(rows.map(({ limiter, store }) => `${limiter}, ${store}`))).toEqual(
    new Set(['rate-limiter-flexible, memory', 'zael, memory', 'zael, DynamoDB, leased']),
  )
  for (const { cpuUs } of rows) expect(cpuUs).toBeGreaterThan(0)
})

test('admits at most the allowed amount under saturation', async () => {
  const rows = await measureSaturation(table, 0.3)
  expect(rows).toHaveLength(4)
  for (const { admitted, allowed } of rows) expect(admitted).toBeLessThanOrEqual(allowed)
})

test('counts the requests of each kind of decision', async () => {
  const rows = await measureRequests(table, 0.05)
  const writesOf = (name: string) => rows.find(({ scenario }) => scenario === name)?.writesPerDecision
  expect(writesOf('one bucket, known cost')).toBe(1)
  expect(writesOf('one bucket, settled to less (chat)')).toBe(2)
  expect(writesOf('one bucket with a budget in dollars, settled to less (chat)')).toBe(2)
  expect(writesOf('one request in flight, from its start to its end')).toBe(2)
})
