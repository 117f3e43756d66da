import { demoData } from '../../seed/demo-data.ts'
import { loadDemoData } from '../../seed/load-demo-data.ts'
import { isLocalEndpoint } from '../../seed/local-endpoint.ts'
import type { Logger } from '../../src/core/ports/platform.ts'
import { randomSecrets } from '../../src/platform/random-secrets.ts'
import { systemClock } from '../../src/platform/system-clock.ts'
import { createDynamoAdminStore } from '../../src/store/dynamodb/dynamo-admin-store.ts'
import { ensureTable } from '../../src/store/dynamodb/table-definition.ts'
import { loadApiKeys } from '../api-keys/load-api-keys.ts'
import type { FileKey } from '../api-keys/read-api-keys.ts'
import type { Settings } from '../settings/settings.ts'
import { connect, PREPARING_DEADLINE_MS } from './connect.ts'
import type { TableHost } from './table-host.ts'

export interface Preparation {
  readonly settings: Pick<Settings, 'tableName' | 'windowSeconds'>
  /** Keys of API_KEYS_FILE and API_KEYS_JSON. */
  readonly keys: readonly FileKey[]
  readonly logger: Logger
}

/**
 * Makes the table where it is missing, loads the demo data into a table just made on this machine (the demo keys' secrets
 * are known to everyone), and the keys of API_KEYS_FILE into any. Throws `StoreUnavailable`, and `StartError` for a key
 * that cannot be loaded.
 */
export const prepareTable = async (host: TableHost, preparation: Preparation): Promise<void> => {
  const { settings, keys, logger } = preparation
  const { tableName, windowSeconds } = settings
  const client = connect(host, { deadlineMs: PREPARING_DEADLINE_MS })
  try {
    const outcome = await ensureTable(client, tableName, { stream: host.hasStreams })
    const store = createDynamoAdminStore(client, tableName, systemClock)
    const deps = { store, clock: systemClock, secrets: randomSecrets }
    if (outcome !== 'exists') await loadDemo(host, deps, logger)
    await loadApiKeys({ ...deps, logger, windowSeconds }, keys)
  } finally {
    client.close()
  }
}

const loadDemo = async (
  { endpoint }: TableHost,
  deps: Parameters<typeof loadDemoData>[0],
  logger: Logger,
): Promise<void> => {
  if (isLocalEndpoint(endpoint)) await loadDemoData(deps, demoData)
  else logger.warn('the table is new and empty: demo data is loaded on this machine only', { endpoint })
}
