/** Counts of a histogram as plain data, which another process can add to its own. */
export interface HistogramCounts {
  /** Bucket and how many values are in it, in the order of the buckets. */
  readonly buckets: readonly (readonly [bucket: number, count: number])[]
  readonly greatest: number
}

export interface Histogram {
  /** `value`: a whole number of at least 0. */
  record(value: number): void
  /** Adds another's counts: the same as if each of its values had been recorded here. */
  add(counts: HistogramCounts): void
  /** The value that `share` (0 to 1) of all are not above; at most 1/128 too high. 0 where there is none. */
  quantile(share: number): number
  /** The greatest, exactly. */
  greatest(): number
  counts(): HistogramCounts
}

/** Values below it have a bucket each; above, each doubling has half as many. */
const EXACT = 256
const HALF = EXACT / 2

const bucketOf = (value: number): number => {
  if (value < EXACT) return value
  const shift = Math.floor(Math.log2(value)) - 7
  return HALF * shift + Math.floor(value / 2 ** shift)
}

/** The greatest value of a bucket. */
const topOf = (bucket: number): number => {
  if (bucket < EXACT) return bucket
  const shift = Math.floor(bucket / HALF) - 1
  return (bucket - HALF * shift + 1) * 2 ** shift - 1
}

/**
 * Counts values in buckets whose width grows with the value, as HDR histograms do (http://hdrhistogram.org), so that
 * those of several processes can be added without loss.
 */
export const createHistogram = (): Histogram => {
  const counts = new Map<number, number>()
  let greatest = 0
  const put = (bucket: number, count: number): void => {
    counts.set(bucket, (counts.get(bucket) ?? 0) + count)
  }
  const sorted = (): readonly (readonly [number, number])[] => [...counts].sort(([a], [b]) => a - b)
  return {
    record(value) {
      put(bucketOf(value), 1)
      if (value > greatest) greatest = value
    },
    add(other) {
      for (const [bucket, count] of other.buckets) put(bucket, count)
      greatest = Math.max(greatest, other.greatest)
    },
    quantile(share) {
      const buckets = sorted()
      const total = buckets.reduce((sum, [, count]) => sum + count, 0)
      let wanted = Math.max(1, Math.ceil(total * share))
      for (const [bucket, count] of buckets) {
        wanted -= count
        if (wanted <= 0) return Math.min(topOf(bucket), greatest)
      }
      return greatest
    },
    greatest: () => greatest,
    counts: () => ({ buckets: sorted(), greatest }),
  }
}
