/** The counts of a histogram as plain data, which another process can add to its own. */
export interface HistogramCounts {
  /** Pairs of a bucket and its number of values, in bucket order. */
  readonly buckets: readonly (readonly [bucket: number, count: number])[]
  readonly greatest: number
}

export interface Histogram {
  /** `value`: a whole number, at least 0. */
  record(value: number): void
  /** Adds the counts of another histogram, as if its values had been recorded here. */
  add(counts: HistogramCounts): void
  /** The value that a `share` (0 to 1) of all values do not exceed; at most 1/128 too high. 0 if there are none. */
  quantile(share: number): number
  /** The maximum, exactly. */
  greatest(): number
  counts(): HistogramCounts
}

/** Each value below it has its own bucket; above it, each doubling has half as many. */
const EXACT = 256

const HALF = EXACT / 2

const bucketOf = (value: number): number => {
  if (value < EXACT) return value
  const shift = Math.floor(Math.log2(value)) - 7
  return HALF * shift + Math.floor(value / 2 ** shift)
}

/** The maximum value of a bucket. */
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

/** The outcomes of requests. */
export interface Counts {
  readonly success: number
  /** Responses with status 429. */
  readonly throttled: number
  /** By status (`http_503`) or by cause (`ECONNREFUSED`, `timeout`). */
  readonly errors: Readonly<Record<string, number>>
}

/** The counts as plain data. Lists are in the order of the nodes and keys. */
export interface TallyCounts {
  readonly byNode: readonly Counts[]
  readonly byKey: readonly Counts[]
  /** µs from sending to the end of the response, whatever its status. */
  readonly latencyUs: HistogramCounts
}

/** The node and the key of a request, as indexes of the lists. */
export interface Route {
  readonly node: number
  readonly key: number
}

export interface Tally {
  responded(route: Route, status: number, latencyMs: number): void
  /** There was no response; `kind` is a system error code or a word. */
  failed(route: Route, kind: string): void
  add(counts: TallyCounts): void
  counts(): TallyCounts
  /** Of all nodes. */
  total(): Counts
}

interface Row {
  success: number
  throttled: number
  errors: Record<string, number>
}

const emptyRow = (): Row => ({ success: 0, throttled: 0, errors: {} })

const addError = ({ errors }: Row, kind: string, count = 1): void => {
  errors[kind] = (errors[kind] ?? 0) + count
}

const addStatus = (row: Row, status: number): void => {
  if (status === 429) row.throttled += 1
  else if (status >= 200 && status < 300) row.success += 1
  else addError(row, `http_${status}`)
}

const addRow = (row: Row, other: Counts): void => {
  row.success += other.success
  row.throttled += other.throttled
  for (const [kind, count] of Object.entries(other.errors)) addError(row, kind, count)
}

const addRows = (rows: readonly Row[], others: readonly Counts[]): void => {
  for (const [index, other] of others.entries()) {
    const row = rows[index]
    if (row === undefined) throw new RangeError('the tallies have different nodes and keys')
    addRow(row, other)
  }
}

export const errorsOf = ({ errors }: Counts): number =>
  Object.values(errors).reduce((sum, count) => sum + count, 0)

export const requestsOf = (counts: Counts): number => counts.success + counts.throttled + errorsOf(counts)

/** Counts by node and by key. */
export const createTally = (nodes: number, keys: number): Tally => {
  const byNode = Array.from({ length: nodes }, emptyRow)
  const byKey = Array.from({ length: keys }, emptyRow)
  const latencyUs = createHistogram()
  const each = ({ node, key }: Route, change: (row: Row) => void): void => {
    for (const row of [byNode[node], byKey[key]]) if (row) change(row)
  }
  return {
    responded(route, status, latencyMs) {
      latencyUs.record(Math.round(latencyMs * 1000))
      each(route, (row) => addStatus(row, status))
    },
    failed: (route, kind) => each(route, (row) => addError(row, kind)),
    add(counts) {
      addRows(byNode, counts.byNode)
      addRows(byKey, counts.byKey)
      latencyUs.add(counts.latencyUs)
    },
    counts: () => ({ byNode, byKey, latencyUs: latencyUs.counts() }),
    total() {
      const sum = emptyRow()
      for (const row of byNode) addRow(sum, row)
      return sum
    },
  }
}
