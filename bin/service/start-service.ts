import { reasonOf, StartError } from '../../src/command-line/failure.ts'
import { connectToAws, LONG_DEADLINE_MS } from '../../src/compose/connect.ts'
import { createPrometheusMetrics } from '../../src/platform/prometheus-metrics.ts'
import { createDynamoBucketStore } from '../../src/store/dynamodb/bucket-store.ts'
import { warnOfGuessable } from '../serve/api-keys-file.ts'
import { loadFiles } from '../serve/prepare-table.ts'
import { type NodeOptions, type RunningServer, startAll, startApi } from '../serve/start-server.ts'
import { readFiles } from '../serve/start-table-host.ts'
import { startPool } from '../workers/start-workers.ts'

export type ServiceOptions = Pick<NodeOptions, 'settings' | 'tokens' | 'environment' | 'version' | 'logger'>

export type RunningService = Omit<RunningServer, 'host'>

/**
 * Starts a node, or `workers` of them in processes of their own, on an existing table. It neither creates the table nor counts
 * usage: both belong to the stack of the table. Throws `StartError` for failures that operators can correct.
 */
export const startService = async (options: ServiceOptions, workers: number): Promise<RunningService> => {
  await prepareTable(options)
  return startAll(async (stops) => {
    if (workers === 1) {
      const metrics = createPrometheusMetrics()
      return { apiUrl: await startApi({ ...options, connect: connectToAws, metrics }, stops) }
    }
    const own = createPrometheusMetrics().snapshot
    const pool = await startPool(undefined, options, { workers, own })
    stops.push(pool.stop)
    return { apiUrl: pool.url }
  })
}

/** Loads keys and upstreams of files. A table that cannot be used ends the start here, so that a deployment is rolled back. */
const prepareTable = async ({ settings, environment, logger }: ServiceOptions): Promise<void> => {
  const files = await readFiles(settings)
  warnOfGuessable(files.keys, settings, logger)
  const { tableName } = settings
  const client = connectToAws({ deadlineMs: LONG_DEADLINE_MS })
  try {
    await createDynamoBucketStore(client, tableName).checkHealth()
    await loadFiles(client, { settings, environment, logger, ...files })
  } catch (error) {
    if (error instanceof StartError) throw error
    const { region } = await client.address()
    throw new StartError(`TABLE_NAME ${tableName} in ${region} cannot be used: ${reasonOf(error)}`, {
      cause: error,
    })
  } finally {
    client.close()
  }
}
