import { type Dispatcher, Pool } from 'undici'
import type { ChildServer } from '../child-server.ts'
import { quantile } from '../measure.ts'

/** The calls of a measurement, all alike. */
export interface Call {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** One turn of one server. Times in ms. */
export interface CallTurn {
  readonly calls: number
  readonly perSecond: number
  /** Processor time of the server's process per call, in µs: of all threads, and of the one that serves. */
  readonly cpuMicros: number
  readonly mainMicros: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Until the first bytes of the body. */
  readonly firstP50Ms: number
  readonly firstP99Ms: number
}

/** Whichever comes first. */
export interface TurnLength {
  readonly seconds?: number
  readonly calls?: number
}

/**
 * Calls a server from `callers`, each the next time after a whole response. autocannon rounds latencies to milliseconds and does
 * not measure first bytes. Rejects unless all responses are 200.
 */
export const loadCalls = async (
  server: ChildServer,
  call: Call,
  callers: number,
  length: TurnLength,
): Promise<CallTurn> => {
  const pool = new Pool(server.url, { connections: callers, headersTimeout: 0, bodyTimeout: 0 })
  const before = await server.processorTime()
  const start = performance.now()
  const { seconds = Number.POSITIVE_INFINITY, calls: most = Number.POSITIVE_INFINITY } = length
  const end = start + seconds * 1000
  const [whole, first]: [number[], number[]] = [[], []]
  let begun = 0
  const loop = async (): Promise<void> => {
    while (begun < most && performance.now() < end) {
      begun += 1
      const took = await timed(pool, call)
      whole.push(took.wholeMs)
      first.push(took.firstMs)
    }
  }
  try {
    await Promise.all(Array.from({ length: callers }, loop))
    const tookSeconds = (performance.now() - start) / 1000
    const after = await server.processorTime()
    const perCall = (total: number): number => total / whole.length
    return {
      calls: whole.length,
      perSecond: whole.length / tookSeconds,
      cpuMicros: perCall(after.all - before.all),
      mainMicros: perCall((after.mainThread ?? Number.NaN) - (before.mainThread ?? Number.NaN)),
      ...quantiles(whole, first),
    }
  } finally {
    await pool.close()
  }
}

const quantiles = (whole: readonly number[], first: readonly number[]) => {
  const [sorted, sortedFirst] = [Float64Array.from(whole).sort(), Float64Array.from(first).sort()]
  return {
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    firstP50Ms: quantile(sortedFirst, 0.5),
    firstP99Ms: quantile(sortedFirst, 0.99),
  }
}

interface Took {
  readonly firstMs: number
  readonly wholeMs: number
}

const timed = (pool: Pool, { path, headers, body }: Call): Promise<Took> =>
  new Promise((resolve, reject) => {
    const start = performance.now()
    let [status, firstMs] = [0, 0]
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart() {},
      onResponseStart(_, code) {
        status = code
      },
      onResponseData() {
        if (firstMs === 0) firstMs = performance.now() - start
      },
      onResponseEnd() {
        if (status === 200) resolve({ firstMs, wholeMs: performance.now() - start })
        else reject(new Error(`${path} returned ${status}`))
      },
      onResponseError: (_, error) => reject(error),
    }
    pool.dispatch({ path, method: 'POST', headers, body }, handler)
  })
