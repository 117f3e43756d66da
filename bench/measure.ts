/** What one round of a closed loop measured. */
export interface Round {
  readonly operations: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Runs `operation` from `callers` loops at once for about `seconds`; each call gets its running number. */
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
    while (performance.now() < end) {
      const before = performance.now()
      await operation(index++)
      latencies.push(performance.now() - before)
    }
  }
  await Promise.all(Array.from({ length: callers }, loop))
  const elapsedSeconds = (performance.now() - start) / 1000
  latencies.sort((a, b) => a - b)
  return {
    operations: latencies.length,
    perSecond: latencies.length / elapsedSeconds,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
  }
}

export const median = (values: readonly number[]): number =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  )

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
