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
  /** Processor time of the server per request. */
  readonly cpuMicros: number
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
  const cpuBefore = await server.cpuMicros()
  const { errors, non2xx, latency, ...result } = await autocannon({
    url: `${server.url}${path}`,
    method,
    headers: { ...headers },
    ...(body && { body: JSON.stringify(body) }),
    connections,
    ...('seconds' in length ? { duration: length.seconds } : { amount: length.requests }),
  })
  const cpuMicros = (await server.cpuMicros()) - cpuBefore
  if (errors + non2xx > 0) throw new Error(`${path}: ${errors} errors, ${non2xx} responses other than 2xx`)
  const tookSeconds = (result.finish.getTime() - result.start.getTime()) / 1000
  return {
    perSecond: result['2xx'] / tookSeconds,
    cpuMicros: cpuMicros / result['2xx'],
    p50Ms: latency.p50,
    p99Ms: latency.p99,
  }
}

/** The median of each figure over several turns. */
export const medianTurn = (turns: readonly LoadTurn[]): LoadTurn => ({
  perSecond: median(turns.map(({ perSecond }) => perSecond)),
  cpuMicros: median(turns.map(({ cpuMicros }) => cpuMicros)),
  p50Ms: median(turns.map(({ p50Ms }) => p50Ms)),
  p99Ms: median(turns.map(({ p99Ms }) => p99Ms)),
})
