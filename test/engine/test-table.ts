import type { Clock } from '../../src/core/ports/clock.ts'
import { createDynamoClient, type DynamoClient } from '../../src/store/dynamodb/client.ts'
import { ensureTable } from '../../src/store/dynamodb/table-definition.ts'
import { startDynalite, TEST_CREDENTIALS } from './start-dynalite.ts'

/** The machine's time, as the store's tests need it: the engine stamps its answers with the same. */
export const testClock: Clock = {
  now: () => BigInt(Date.now()) * 1_000_000n,
  monotonic: () => process.hrtime.bigint(),
}

export interface TestTable {
  readonly client: DynamoClient
  readonly tableName: string
  readonly endpoint: string
  close(): Promise<void>
}

/** An engine with an empty table, and a client of it. */
export const startTestTable = async (tableName = 'ZAEL-test'): Promise<TestTable> => {
  const engine = await startDynalite()
  const client = createDynamoClient({
    clock: testClock,
    endpoint: engine.endpoint,
    region: 'us-east-1',
    credentials: TEST_CREDENTIALS,
    // a busy machine is no slow store
    deadlineMs: 10_000,
  })
  await ensureTable(client, tableName, { stream: false })
  return {
    client,
    tableName,
    endpoint: engine.endpoint,
    close: async () => {
      client.close()
      await engine.close()
    },
  }
}
