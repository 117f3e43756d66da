import { ZaelError } from '../../src/core/model/errors.ts'
import type { Logger } from '../../src/core/ports/platform.ts'
import { createPrometheusMetrics } from '../../src/platform/prometheus-metrics.ts'
import { warnOfGuessable } from '../api-keys/guessable-keys.ts'
import { type FileKey, readApiKeys } from '../api-keys/read-api-keys.ts'
import { startCounting } from '../feed/start-counting.ts'
import type { Settings } from '../settings/settings.ts'
import type { Environment } from '../settings/settings-reader.ts'
import { createNode, type NodeOptions } from './create-node.ts'
import { foreignTableHost } from './foreign-table-host.ts'
import { listen } from './listen.ts'
import { startOwnTableHost } from './own-table-host.ts'
import { prepareTable } from './prepare-table.ts'
import { reasonOf, StartError } from './start-error.ts'
import type { TableHost } from './table-host.ts'

export interface RunningServer {
  readonly apiUrl: string
  readonly host: TableHost
  /** Answers what is being asked, settles, counts, and closes the data. */
  stop(): Promise<void>
}

export interface ServerOptions {
  readonly settings: Settings
  readonly environment: Environment
  readonly version: string
  readonly logger: Logger
  /** The engine has broken down: nothing can be decided any more. */
  readonly onFailure: (error: Error) => void
}

/** What ends each part that has been started, in the order of their starts. */
export type Stops = (() => Promise<void> | void)[]

const FLUSH_EVERY_MS = 1_000

const hostOf = async ({ settings, environment, logger, onFailure }: ServerOptions): Promise<TableHost> => {
  const { awsEndpointUrl: endpoint, tableName } = settings
  if (endpoint === null) return startOwnTableHost(settings, onFailure)
  return foreignTableHost({ endpoint, tableName }, environment, logger)
}

const prepare = async (
  host: TableHost,
  { settings, logger }: ServerOptions,
  keys: readonly FileKey[],
): Promise<void> => {
  try {
    await prepareTable(host, { settings, keys, logger })
  } catch (error) {
    if (error instanceof StartError) throw error
    if (error instanceof ZaelError) throw new StartError(error.message, { cause: error })
    if (settings.awsEndpointUrl === null) throw error
    throw new StartError(`AWS_ENDPOINT_URL ${host.endpoint} cannot be used: ${reasonOf(error)}`, {
      cause: error,
    })
  }
}

/** The table, with what belongs into it. */
export const startTable = async (options: ServerOptions, stops: Stops): Promise<TableHost> => {
  const { settings, logger } = options
  const keys = await readApiKeys(settings)
  warnOfGuessable(keys, settings, logger)
  const host = await hostOf(options)
  stops.push(host.stop)
  await prepare(host, options, keys)
  return host
}

/** A node that listens. Resolves to its URL. */
export const startApi = async (options: NodeOptions, stops: Stops): Promise<string> => {
  const { settings, logger } = options
  const node = createNode(options)
  stops.push(node.close)
  const flush = (all: boolean): Promise<void> =>
    node.limiter
      .flush(all ? { all } : {})
      .catch((error: unknown) => logger.warn('counts could not be written', { error }))
  const timer = setInterval(() => flush(false), FLUSH_EVERY_MS)
  stops.push(() => {
    clearInterval(timer)
    return flush(true)
  })

  const { host: address, port, keepAliveSeconds } = settings
  const listening = await listen({ fetch: node.app.fetch, host: address, port, keepAliveSeconds })
  stops.push(listening.stop)
  return listening.url
}

export const stopAll = async (stops: Stops): Promise<void> => {
  for (const stop of stops.splice(0).reverse()) await stop()
}

/** Starts all parts, or none: where one cannot start, those before it are stopped. */
export const startAll = async (
  startParts: (stops: Stops) => Promise<Omit<RunningServer, 'stop'>>,
): Promise<RunningServer> => {
  const stops: Stops = []
  try {
    const started = await startParts(stops)
    return { ...started, stop: () => stopAll(stops) }
  } catch (error) {
    await stopAll(stops)
    throw error
  }
}

/** Starts everything in this process. Throws `StartError` where the user can do something about it. */
export const startServer = (options: ServerOptions): Promise<RunningServer> =>
  startAll(async (stops) => {
    const host = await startTable(options, stops)
    const { settings, version, logger } = options
    const metrics = createPrometheusMetrics()
    const counting = await startCounting(host, { settings, logger, metrics })
    stops.push(counting.stop)
    const apiUrl = await startApi({ host, settings, version, logger, metrics }, stops)
    return { apiUrl, host }
  })
