import type { Logger } from '../../src/core/ports/logger.ts'
import { warnOfGuessable } from '../api-keys/guessable-keys.ts'
import { type FileKey, readApiKeys } from '../api-keys/read-api-keys.ts'
import { createDelivery } from '../feed/deliver-in-order.ts'
import type { Settings } from '../settings/settings.ts'
import type { Environment } from '../settings/settings-reader.ts'
import { createNode } from './create-node.ts'
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

const FLUSH_EVERY_MS = 1_000

type Stop = () => Promise<void> | void

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
    if (settings.awsEndpointUrl === null || error instanceof StartError) throw error
    throw new StartError(`AWS_ENDPOINT_URL ${host.endpoint} cannot be used: ${reasonOf(error)}`, {
      cause: error,
    })
  }
}

/** Starts one part after the other; `stops` gets what ends each. */
const startParts = async (options: ServerOptions, stops: Stop[]): Promise<Omit<RunningServer, 'stop'>> => {
  const { settings, version, logger } = options
  const keys = await readApiKeys(settings)
  warnOfGuessable(keys, settings, logger)
  const host = await hostOf(options)
  stops.push(host.stop)
  await prepare(host, options, keys)

  const node = createNode(host, settings, version, logger)
  stops.push(node.close)
  const feed = await host.feed(createDelivery({ aggregator: node.aggregator, logger }))
  stops.push(feed.stop)

  const flush = (all: boolean): Promise<void> =>
    node.limiter
      .flush(all ? { all } : {})
      .catch((error: unknown) => logger.warn('counts could not be written', { error }))
  const timer = setInterval(() => flush(false), FLUSH_EVERY_MS)
  stops.push(() => {
    clearInterval(timer)
    return flush(true)
  })

  const { host: address, port } = settings
  const listening = await listen({ fetch: node.app.fetch, host: address, port })
  stops.push(listening.stop)
  return { apiUrl: listening.url, host }
}

const stopAll = async (stops: Stop[]): Promise<void> => {
  for (const stop of stops.splice(0).reverse()) await stop()
}

/** Starts everything, or nothing. Throws `StartError` where the user can do something about it. */
export const startServer = async (options: ServerOptions): Promise<RunningServer> => {
  const stops: Stop[] = []
  try {
    const started = await startParts(options, stops)
    return { ...started, stop: () => stopAll(stops) }
  } catch (error) {
    await stopAll(stops)
    throw error
  }
}
