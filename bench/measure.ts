/** The measurements of one round of a closed loop. */
export interface Round {
  readonly operations: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Runs `operation` from `callers` concurrent loops for about `seconds`; each call receives its sequence number. */
export const runLoops = async (
  callers: number,
  seconds: number,
  operation: (index: number) => Promise<unknown>,
): Promise<Round> => {
  const latencies: number[] = []
  const start = performance.now()
  const end = start + seconds * 1000
  let index = 0
  const loop = async (): Promise<void> => {
    let before = performance.now()
    while (before < end) {
      await operation(index++)
      const after = performance.now()
      latencies.push(after - before)
      before = after
    }
  }
  await Promise.all(Array.from({ length: callers }, loop))
  const elapsedSeconds = (performance.now() - start) / 1000
  const sorted = Float64Array.from(latencies).sort()
  return {
    operations: sorted.length,
    perSecond: sorted.length / elapsedSeconds,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
  }
}

export const median = (values: readonly number[]): number => quantile(Float64Array.from(values).sort(), 0.5)

export const quantile = (sorted: ArrayLike<number>, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
