import { demoData } from '../../seed/demo-data.ts'
import { loadDemoData } from '../../seed/load-demo-data.ts'
import { isLocalEndpoint } from '../../seed/local-endpoint.ts'
import type { Logger } from '../../src/core/ports/logger.ts'
import { randomSecrets } from '../../src/platform/random-secrets.ts'
import { systemClock } from '../../src/platform/system-clock.ts'
import { createDynamoAdminStore } from '../../src/store/dynamodb/dynamo-admin-store.ts'
import { ensureTable } from '../../src/store/dynamodb/table-definition.ts'
import { connect, PREPARING_DEADLINE_MS } from './connect.ts'
import type { TableHost } from './table-host.ts'

/**
 * Makes the table where it is missing, and loads the demo data into a table just made on this machine: the demo keys'
 * secrets are known to everyone. Throws `StoreUnavailable`.
 */
export const prepareTable = async (host: TableHost, tableName: string, logger: Logger): Promise<void> => {
  const { endpoint, hasStreams } = host
  const client = connect(host, { deadlineMs: PREPARING_DEADLINE_MS })
  try {
    const outcome = await ensureTable(client, tableName, { stream: hasStreams })
    if (outcome === 'exists') return
    if (!isLocalEndpoint(endpoint)) {
      logger.warn('the table is new and empty: demo data is loaded on this machine only', { endpoint })
      return
    }
    const store = createDynamoAdminStore(client, tableName, systemClock)
    await loadDemoData({ store, clock: systemClock, secrets: randomSecrets }, demoData)
  } finally {
    client.close()
  }
}
