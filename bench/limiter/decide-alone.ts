import { systemClock } from '../../src/platform/runtime.ts'
import { quantile } from '../measure.ts'
import type { BenchTable } from '../table.ts'

export interface AloneRow {
  readonly decisions: number
  readonly p50Us: number
  readonly p99Us: number
  readonly mostMs: number
}

const LARGE = { rpm: [1_000_000_000, 1], tpm: [1_000_000_000, 1] } as const
/** Requests that arrive together, between two turns of the event loop. */
const AT_A_TIME = 16
const LEASE_TTL_MS = 1000

/**
 * The duration of `decide` on a leased hot key, for a few requests in each turn of the event loop, as a server receives
 * them.
 */
export const measureAlone = async (table: BenchTable, seconds: number): Promise<AloneRow> => {
  await table.addEntity('alone-leased', LARGE)
  const { limiter, close } = await table.join(systemClock, { settings: { leaseTtlMs: LEASE_TTL_MS } })
  const request = { entityId: 'alone-leased', cost: { requests: 1, tokens: 10 }, settles: false }
  const times: number[] = []
  const decide = async (): Promise<void> => {
    const before = performance.now()
    const { allowed } = await limiter.decide(request)
    times.push(performance.now() - before)
    if (!allowed) throw new Error('the benchmark met a limit')
  }
  const runFor = async (ms: number): Promise<void> => {
    const end = performance.now() + ms
    while (performance.now() < end) {
      await Promise.all(Array.from({ length: AT_A_TIME }, decide))
      await new Promise(setImmediate)
    }
  }
  try {
    await runFor(seconds * 500)
    times.length = 0
    await runFor(seconds * 1000)
    await limiter.flush({ all: true })
  } finally {
    close()
  }
  const sorted = Float64Array.from(times).sort()
  const usAt = (share: number): number => quantile(sorted, share) * 1000
  return { decisions: sorted.length, p50Us: usAt(0.5), p99Us: usAt(0.99), mostMs: quantile(sorted, 1) }
}
