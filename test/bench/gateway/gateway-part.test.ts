import { expect, test } from 'vitest'
import { gatewayFinding } from '../../../bench/gateway/gateway-part.ts'
import type { GatewayRow } from '../../../bench/gateway/measure-gateway.ts'

const ROW = { calls: 1, cpuMicros: 100, mainMicros: 90, p50Ms: 1, p99Ms: 2, firstP50Ms: 1, firstP99Ms: 2 }
const FIGURES = { writesPerChat: 0.05, longPromptAddedMs: 2, otherAloneP99Ms: 4, otherBesideP99Ms: 6 }

const row = (
  load: GatewayRow['load'],
  gateway: GatewayRow['gateway'],
  figures: Partial<GatewayRow>,
): GatewayRow => ({
  load,
  gateway,
  ...ROW,
  perSecond: 1,
  ...figures,
})

const ROWS: readonly GatewayRow[] = [
  row('1 caller', 'direct', { p50Ms: 0.25, p99Ms: 1 }),
  row('1 caller', 'bypassed', { p99Ms: 1.25 }),
  row('1 caller', 'zael', { p50Ms: 0.5, p99Ms: 1.5 }),
  row('16 callers', 'passThrough', { perSecond: 12_000 }),
  row('16 callers', 'bypassed', { perSecond: 8000 }),
  row('16 callers', 'zael', { perSecond: 6000 }),
  row('16 callers', 'portkey', { perSecond: 1000 }),
  row('64 streams', 'direct', { firstP99Ms: 10 }),
  row('64 streams', 'zael', { firstP99Ms: 13 }),
]

test('compares zael with each gateway that was measured', () => {
  const { goals } = gatewayFinding(ROWS, FIGURES, [])
  expect(goals.map(({ bound, goal, value }) => [bound, goal, value])).toEqual([
    ['at least', 4, 6],
    ['at least', 0.35, 0.5],
    ['at most', 0.1, 0.25],
    ['at most', 0.1, 0.25],
    ['at most', 0.5, 0.25],
    ['at most', 2.5, 0.5],
    ['at most', 5, 3],
    ['at most', 0.1, 0.05],
    ['at most', 3, 2],
    ['at most', 2, 1.5],
  ])
})

test('says which gateways are missing, and why', () => {
  const { markdown } = gatewayFinding(ROWS, FIGURES, ["LiteLLM's proxy: there is no Python"])
  expect(markdown).toContain("Not measured: LiteLLM's proxy: there is no Python")
})
