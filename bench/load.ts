import autocannon from 'autocannon'
import type { ChildServer } from './child-server.ts'
import { median } from './measure.ts'

/** The requests of a measurement, all alike. */
export interface LoadRequest {
  readonly path: string
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object
}

/** One turn of one server. */
export interface LoadTurn {
  readonly perSecond: number
  /** Processor time of the server's process per request: of all threads, and of the one that serves requests. */
  readonly cpuMicros: number
  readonly mainMicros: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** The end of a turn: after a time, or after a number of requests, which is checked once a second. */
export type LoadLength = { readonly seconds: number } | { readonly requests: number }

/** Sends requests from `connections`, each the next one after the response. Throws unless all responses are 2xx. */
export const loadServer = async (
  server: ChildServer,
  { path, method = 'GET', headers = {}, body }: LoadRequest,
  connections: number,
  length: LoadLength,
): Promise<LoadTurn> => {
  const before = await server.processorTime()
  const { result, failures } = await send({
    url: `${server.url}${path}`,
    method,
    headers: { ...headers },
    ...(body && { body: JSON.stringify(body) }),
    connections,
    ...('seconds' in length ? { duration: length.seconds } : { amount: length.requests }),
  })
  const after = await server.processorTime()
  if (failures.length > 0) throw new Error(`${path}: ${failures.join(', ')}`)
  const tookSeconds = (result.finish.getTime() - result.start.getTime()) / 1000
  return {
    perSecond: result['2xx'] / tookSeconds,
    cpuMicros: (after.all - before.all) / result['2xx'],
    mainMicros: ((after.mainThread ?? Number.NaN) - (before.mainThread ?? Number.NaN)) / result['2xx'],
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
  }
}

interface Sent {
  readonly result: autocannon.Result
  /** How many requests failed, by cause: `3 × status 503`, `22 × ECONNRESET`. */
  readonly failures: readonly string[]
}

const send = (options: autocannon.Options): Promise<Sent> =>
  new Promise((resolve, reject) => {
    const counts = new Map<string, number>()
    const sending = autocannon(options, (error, result) => {
      if (error) return reject(error)
      const lost = [...counts].map(([cause, count]) => `${count} × ${cause}`)
      resolve({ result, failures: [...lost, ...otherStatuses(result)] })
    })
    // no response: the code of the connection's error, or autocannon's text for none within 10 s
    sending.on('reqError', (error: NodeJS.ErrnoException) => {
      const cause = error.code ?? error.message
      counts.set(cause, (counts.get(cause) ?? 0) + 1)
    })
  })

const otherStatuses = ({ statusCodeStats = {} }: autocannon.Result): readonly string[] =>
  Object.entries(statusCodeStats)
    .filter(([status]) => !status.startsWith('2'))
    .map(([status, { count = 0 }]) => `${count} × status ${status}`)

/** The median of each figure over several turns. */
export const medianTurn = (turns: readonly LoadTurn[]): LoadTurn => ({
  perSecond: median(turns.map(({ perSecond }) => perSecond)),
  cpuMicros: median(turns.map(({ cpuMicros }) => cpuMicros)),
  mainMicros: median(turns.map(({ mainMicros }) => mainMicros)),
  p50Ms: median(turns.map(({ p50Ms }) => p50Ms)),
  p99Ms: median(turns.map(({ p99Ms }) => p99Ms)),
})
