import type { AdminDependencies } from '../core/admin/audit.ts'
import type { Logger } from '../core/ports/platform.ts'
import { systemClock } from '../platform/runtime.ts'
import { randomSecrets } from '../platform/secrets.ts'
import type { Settings } from '../settings/settings.ts'
import { createDynamoAdminStore } from '../store/dynamodb/admin/admin-store.ts'
import { createNewTable, type NewTable } from '../store/dynamodb/admin/new-table.ts'
import { createDynamoAlertEventStore } from '../store/dynamodb/alert-event-store.ts'
import { createDynamoBucketStore } from '../store/dynamodb/bucket-store.ts'
import type { DynamoClient } from '../store/dynamodb/client.ts'
import { createDynamoConfigStore } from '../store/dynamodb/config-store.ts'
import { createDynamoIdempotencyStore } from '../store/dynamodb/idempotency-store.ts'
import { createDynamoReservationStore } from '../store/dynamodb/reservation-store.ts'
import { createDynamoResponseStore } from '../store/dynamodb/response-store.ts'
import { createFailureLog } from '../store/dynamodb/store-error.ts'
import { createDynamoUsageStore } from '../store/dynamodb/usage-store.ts'
import { type Connect, LONG_DEADLINE_MS } from './connect.ts'

export interface TableParts {
  readonly connect: Connect
  readonly settings: Pick<Settings, 'tableName' | 'storeDeadlineMs' | 'maxClockSkewMs'>
  readonly logger: Logger
}

const commonOptions = ({ settings, logger }: TableParts) => ({
  logger,
  tableName: settings.tableName,
  maxClockSkewMs: settings.maxClockSkewMs,
  failureLog: createFailureLog(systemClock, logger),
})

const decidingStores = (client: DynamoClient, tableName: string) => ({
  config: createDynamoConfigStore(client, tableName),
  buckets: createDynamoBucketStore(client, tableName),
  reservations: createDynamoReservationStore(client, tableName),
})

/** The stores by which requests are decided and settled. */
export type DecidingStores = ReturnType<typeof decidingStores>

/** The same with a client of their own, for a process that does nothing else. */
export const openDecidingStores = (parts: TableParts): DecidingStores => {
  const { connect, settings } = parts
  const client = connect({ ...commonOptions(parts), deadlineMs: settings.storeDeadlineMs })
  return decidingStores(client, settings.tableName)
}

/** The stores of one table. Decisions have a client of their own: their calls have a shorter deadline. */
export const openTable = (parts: TableParts) => {
  const { connect, settings } = parts
  const { tableName, storeDeadlineMs } = settings
  const common = commonOptions(parts)
  const deciding = connect({ ...common, deadlineMs: storeDeadlineMs })
  const administering = connect({ ...common, deadlineMs: LONG_DEADLINE_MS })
  const stores = decidingStores(deciding, tableName)
  return {
    ...stores,
    idempotency: createDynamoIdempotencyStore(deciding, tableName),
    responses: createDynamoResponseStore(deciding, tableName),
    store: { ...createDynamoAdminStore(administering, tableName, systemClock), ...stores.config },
    usage: createDynamoUsageStore(administering, tableName),
    alertEvents: createDynamoAlertEventStore(administering, tableName),
    close() {
      deciding.close()
      administering.close()
    },
  }
}

/** The dependencies of the admin services that load entities, keys and limits into a table. */
export const administrationOf = (
  client: DynamoClient,
  tableName: string,
): Omit<AdminDependencies, 'changed'> => ({
  store: createDynamoAdminStore(client, tableName, systemClock),
  clock: systemClock,
  secrets: randomSecrets,
})

/** The same for a table that this process has just created on its own engine. `write` writes everything at once. */
export const administrationOfNewTable = (
  client: DynamoClient,
  tableName: string,
): Omit<AdminDependencies, 'changed'> & Pick<NewTable, 'write'> => ({
  ...createNewTable(client, tableName, systemClock),
  clock: systemClock,
  secrets: randomSecrets,
})
