import type { Cost, Meter } from '../limit/meter.ts'
import { METERS } from '../limit/meter.ts'
import type { CacheFactory } from '../ports/cache.ts'

/** How far ahead a lease reaches: what was asked for lately in so much time. */
const AHEAD_NS = 250_000_000n
/** Below so many requests in that time a lease would not save a write. */
const FEWEST_REQUESTS = 2
/** Buckets whose demand is remembered. */
const MAX_BUCKETS = 10_000

/** What this process is asked for, by bucket. Times by the steady clock. */
export interface Demand {
  note(key: string, cost: Cost, nowNs: bigint): void
  /** What to expect in the next quarter of a second, whole amounts per meter; undefined where that is not worth a lease. */
  expected(key: string, nowNs: bigint): Cost | undefined
}

interface Asked {
  sinceNs: bigint
  requests: number
  readonly amounts: Partial<Record<Meter, number>>
  /** Of the quarter of a second before. */
  before: { readonly requests: number; readonly amounts: Cost } | undefined
}

export const createDemand = (newCache: CacheFactory): Demand => {
  const asked = newCache<Asked>({ max: MAX_BUCKETS })

  const current = (key: string, nowNs: bigint): Asked => {
    const known = asked.get(key)
    if (known && nowNs - known.sinceNs < AHEAD_NS) return known
    const made: Asked = { sinceNs: nowNs, requests: 0, amounts: {}, before: known && inOne(known, nowNs) }
    asked.set(key, made)
    return made
  }

  return {
    note(key, cost, nowNs) {
      const into = current(key, nowNs)
      into.requests++
      for (const meter of METERS) {
        const amount = cost[meter]
        if (amount !== undefined) into.amounts[meter] = (into.amounts[meter] ?? 0) + amount
      }
    },
    expected(key, nowNs) {
      const { requests, amounts, before } = current(key, nowNs)
      const most = before !== undefined && before.requests > requests ? before : { requests, amounts }
      return most.requests < FEWEST_REQUESTS ? undefined : { ...most.amounts }
    },
  }
}

/** What was asked in a longer time, as if in one quarter of a second. */
const inOne = ({ requests, amounts, sinceNs }: Asked, nowNs: bigint): Asked['before'] => {
  const share = Number(AHEAD_NS) / Number(nowNs - sinceNs)
  const shared: Partial<Record<Meter, number>> = {}
  for (const meter of METERS) {
    const amount = amounts[meter]
    if (amount !== undefined) shared[meter] = Math.floor(amount * share)
  }
  return { requests: requests * share, amounts: shared }
}
