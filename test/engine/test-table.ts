import { randomUUID } from 'node:crypto'
import type { Clock } from '../../src/core/ports/platform.ts'
import { createDynamoClient, type DynamoClient } from '../../src/store/dynamodb/client.ts'
import { ensureTable } from '../../src/store/dynamodb/table-definition.ts'
import { startDynalite, TEST_CREDENTIALS, type TestEngine } from './start-dynalite.ts'

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

/**
 * An engine with an empty table, and a client of it. `TEST_DYNAMODB_ENDPOINT` names another engine to run the same
 * tests on (MiniStack, LocalStack, DynamoDB Local); its tables stay behind.
 */
export const startTestTable = async (): Promise<TestTable> => {
  const other = process.env.TEST_DYNAMODB_ENDPOINT
  const engine = other === undefined ? await startDynalite() : runningEngine(other)
  const tableName = `ZAEL-test-${randomUUID()}`
  const client = createTestClient(engine.endpoint)
  await ensureTable(client, tableName, { stream: other !== undefined })
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

/** A client with a long deadline: a busy machine is no slow store. */
export const createTestClient = (endpoint: string, clock = testClock): DynamoClient =>
  createDynamoClient({
    clock,
    endpoint,
    region: 'us-east-1',
    credentials: TEST_CREDENTIALS,
    deadlineMs: 10_000,
    maxWaitMs: 10_000,
  })

const runningEngine = (endpoint: string): TestEngine => ({ endpoint, close: async () => {} })
