import type { TableAddress } from '../../src/compose/connect.ts'
import { createPrometheusMetrics, type PrometheusMetrics } from '../../src/platform/prometheus-metrics.ts'
import { startCounting } from '../serve/start-counting.ts'
import { type RunningServer, startAll, startTable } from '../serve/start-server.ts'
import type { ServerOptions, StartedHost } from '../serve/start-table-host.ts'
import { createSummedMetrics } from './worker-messages.ts'
import { startWorkerPool, type WorkerPool } from './worker-pool.ts'

/** Shorter than a worker waits for the sum. */
const METRICS_PATIENCE_MS = 1_000

/**
 * Starts the table, its feed and the aggregator in this process, and `workers` others that listen on the same port.
 * Throws `StartError` for failures that users can correct.
 */
export const startWorkers = (
  options: ServerOptions,
  starting: Promise<StartedHost>,
  workers: number,
): Promise<RunningServer> =>
  startAll(async (stops) => {
    const host = await startTable(starting, options, stops)
    const { settings, environment, logger } = options
    const metrics = createPrometheusMetrics()
    const counting = await startCounting(host, { settings, environment, logger, metrics })
    stops.push(counting.stop)
    const { endpoint, region, credentials } = host
    const table = { endpoint, region, credentials, workers }
    const pool = await startPool(table, options, { workers, own: metrics.snapshot })
    stops.push(pool.stop)
    return { apiUrl: pool.url, host }
  })

export interface PoolParts {
  readonly workers: number
  /** The metrics of this process. */
  readonly own: PrometheusMetrics['snapshot']
}

/** Starts workers on a table; undefined: the one of the environment. Throws `StartError`. */
export const startPool = async (
  table: TableAddress | undefined,
  { settings, version, logger }: Pick<ServerOptions, 'settings' | 'version' | 'logger'>,
  { workers, own }: PoolParts,
): Promise<WorkerPool> => {
  let pool: WorkerPool | undefined
  const summed = createSummedMetrics({
    own,
    requestOthers: (request) => pool?.send({ type: 'metrics-wanted', request }) ?? 0,
    patienceMs: METRICS_PATIENCE_MS,
  })
  const { nodeId, stopGraceSeconds } = settings
  pool = await startWorkerPool({
    workers,
    logger,
    stopGraceMs: stopGraceSeconds * 1000,
    commandOf: (number) => ({
      type: 'serve',
      table,
      settings: { ...settings, nodeId: nodeId === null ? null : `${nodeId}/${number}` },
      version,
    }),
    async onMessage(message, reply) {
      if (message.type === 'metrics') summed.arrived(message.request, message.metrics)
      else if (message.type === 'metrics-text-wanted') {
        reply({ type: 'metrics-text', request: message.request, text: await summed.text() })
      }
    },
  })
  return pool
}
