import { systemClock } from '../../src/platform/runtime.ts'
import { runLoops } from '../measure.ts'
import type { BenchTable } from '../table.ts'

export interface SaturationRow {
  /** Tokens per second; the capacity is the same number. */
  readonly limitPerSecond: number
  readonly seconds: number
  readonly requests: number
  /** floor(capacity + rate × T), T from the first to the last decision */
  readonly allowed: number
  readonly admitted: number
  readonly ofAllowed: number
  readonly isWithin: boolean
  readonly writesPerDecision: number
}

const LIMITS = [2, 10, 40, 100]
const CALLERS = 32

/**
 * 32 callers send requests as fast as they can. Measures the share of the allowed amount that they receive, which must
 * not exceed 1.
 */
export const measureSaturation = async (
  table: BenchTable,
  seconds: number,
): Promise<readonly SaturationRow[]> => {
  const rows: SaturationRow[] = []
  for (const limitPerSecond of LIMITS) rows.push(await measureOne(table, limitPerSecond, seconds))
  return rows
}

const measureOne = async (
  table: BenchTable,
  limitPerSecond: number,
  seconds: number,
): Promise<SaturationRow> => {
  const id = `saturated-${limitPerSecond}`
  await table.addEntity(id, { rps: [limitPerSecond, limitPerSecond] })
  let admitted = 0
  let last = 0n
  const first = systemClock.now()
  const before = table.calls.writes
  const { operations } = await runLoops(CALLERS, seconds, async () => {
    const decision = await table.limiter.decide({ entityId: id, cost: { requests: 1 }, settles: false })
    if (decision.allowed) admitted++
    // by the limiter's own clock: another one may differ by a millisecond
    last = systemClock.now()
  })
  const allowed = Math.floor(limitPerSecond + (limitPerSecond * Number(last - first)) / 1e9)
  return {
    limitPerSecond,
    seconds,
    requests: operations,
    allowed,
    admitted,
    ofAllowed: admitted / allowed,
    isWithin: admitted <= allowed && admitted >= 0.98 * allowed - 1,
    writesPerDecision: (table.calls.writes - before) / operations,
  }
}
