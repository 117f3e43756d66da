import type { UpstreamsFile } from '../../src/contract/upstreams-file.ts'
import type { Logger } from '../../src/core/ports/platform.ts'
import type { Environment, Settings } from '../../src/settings/settings.ts'
import { type FileKey, readApiKeys } from './api-keys-file.ts'
import { startOwnTableHost } from './own-table-host.ts'
import type { TableHost } from './table-host.ts'

export interface ServerOptions {
  readonly settings: Settings
  readonly environment: Environment
  readonly version: string
  readonly logger: Logger
  /** The engine failed; no more decisions can be made. */
  readonly onFailure: (error: Error) => void
}

/** The host of the table, and what is loaded into it: keys of API_KEYS_FILE and API_KEYS_JSON, and UPSTREAMS_FILE. */
export interface StartedHost {
  readonly host: TableHost
  /** Undefined: none. */
  readonly upstreams: UpstreamsFile | undefined
  readonly keys: readonly FileKey[]
}

/**
 * Reads the files, so that invalid ones prevent the start before any port is opened, and starts the engine in this process
 * or connects to the DynamoDB of AWS_ENDPOINT_URL. Loads little, because the engine starts beside the loading of the API.
 * Throws `StartError`.
 */
export const startTableHost = async (options: ServerOptions): Promise<StartedHost> => {
  const files = await readFiles(options.settings)
  return { host: await hostOf(options), ...files }
}

/** Throws `StartError`, which lists the mistakes of a file. */
export const readFiles = async (settings: Settings): Promise<Omit<StartedHost, 'host'>> => {
  const keys = await readApiKeys(settings)
  return { keys, upstreams: await upstreamsIn(settings) }
}

const upstreamsIn = async ({ upstreamsFile }: Settings): Promise<UpstreamsFile | undefined> => {
  if (upstreamsFile === null) return undefined
  const { readUpstreamsFile } = await import('./upstreams-file.ts')
  return readUpstreamsFile(upstreamsFile)
}

const hostOf = async ({ settings, environment, logger, onFailure }: ServerOptions): Promise<TableHost> => {
  const { awsEndpointUrl: endpoint, tableName } = settings
  if (endpoint === null) return startOwnTableHost(settings, onFailure)
  const { foreignTableHost } = await import('./foreign-table-host.ts')
  return foreignTableHost({ endpoint, tableName }, environment, logger)
}
