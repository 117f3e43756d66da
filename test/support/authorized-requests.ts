import type { APIGatewayProxyEvent } from 'aws-lambda'
import { composeAuthorizer } from '../../src/compose/authorizer.ts'
import { connectTo } from '../../src/compose/connect.ts'
import type { AuthorizerOptions } from '../../src/contract/authorizer.ts'
import { parseLimits } from '../../src/contract/limits.ts'
import { newEntity } from '../../src/core/admin/entities.ts'
import type { ApiKey } from '../../src/core/model/key.ts'
import type { LimitSetKey } from '../../src/core/model/limit-set.ts'
import { noMetrics, silentLogger } from '../../src/core/ports/platform.ts'
import { lruCaches, sha256 } from '../../src/platform/runtime.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { createDynamoAdminStore } from '../../src/store/dynamodb/admin/admin-store.ts'
import { TEST_CREDENTIALS } from '../engine/start-dynalite.ts'
import { type TestTable, testClock } from '../engine/test-table.ts'
import { requestEvent } from '../http/authorizer/request-event.ts'

const LIMITS = [
  { name: 'rpm', capacity: 100, refill_rate: 0.001 },
  { name: 'tpm', capacity: 1000, refill_rate: 0.001 },
]

const audit = { id: '1', at: 1n, actor: 'test', action: 'test', subject: 'test', before: null, after: null }

const storeOf = (table: TestTable) => createDynamoAdminStore(table.client, table.tableName, testClock)

export const setLimits = async (
  table: TestTable,
  key: LimitSetKey,
  limits: readonly object[],
): Promise<void> => {
  const set = { limits: parseLimits([...limits], 'limits'), version: testClock.now() }
  await storeOf(table).putLimitSet(key, set, null, audit)
}

/** Creates a caller whose key is its id, and a parent above it: 100 requests and 1000 tokens each. */
export const createCaller = async (table: TestTable, id: string): Promise<void> => {
  const store = storeOf(table)
  const parent = `${id}-parent`
  await store.createEntity(newEntity({ id: parent, name: parent }, testClock.now()), audit)
  await store.createEntity({ ...newEntity({ id, name: id }, testClock.now()), parentId: parent }, audit)
  for (const each of [id, parent]) {
    const owner = { kind: 'entity', id: each } as const
    await setLimits(table, { owner, resource: '_default_' }, LIMITS)
  }
  const key: ApiKey = {
    keyId: id,
    entityId: id,
    name: '',
    prefix: id.slice(0, 8),
    status: 'active',
    expiresAt: null,
    createdAt: 1n,
  }
  await store.putKey(key, sha256(id), audit)
}

/**
 * A request that the authorizer has decided, as the function behind receives it: API Gateway adds the context, of texts only.
 * Denied requests do not get there, but are returned too.
 */
export const authorizedEvent = async (
  { tableName, endpoint }: Pick<TestTable, 'tableName' | 'endpoint'>,
  key: string,
  options: AuthorizerOptions,
): Promise<APIGatewayProxyEvent> => {
  const settings = readSettings({ TABLE_NAME: tableName, STORE_DEADLINE_MS: '10000' })
  const authorizer = composeAuthorizer(settings, {
    options,
    connect: connectTo({ endpoint, region: 'us-east-1', credentials: TEST_CREDENTIALS }),
    caches: lruCaches,
    logger: silentLogger,
    metrics: noMetrics,
  })
  const event = requestEvent({ headers: { 'x-api-key': key } })
  const { principalId, context } = await authorizer.authorize(event)
  await authorizer.flush()
  const { type: _, methodArn: __, ...request } = event
  return {
    ...{ body: null, isBase64Encoded: false, ...request },
    headers: event.headers ?? {},
    multiValueHeaders: event.multiValueHeaders ?? {},
    requestContext: {
      ...event.requestContext,
      authorizer: { principalId, integrationLatency: 57, ...context },
    },
  }
}
