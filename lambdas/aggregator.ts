import { readSettings } from '../bin/settings/settings.ts'
import { createPowertoolsLogger } from '../src/platform/powertools-logger.ts'
import { createPowertoolsMetrics } from '../src/platform/powertools-metrics.ts'
import { systemClock } from '../src/platform/system-clock.ts'
import { createDynamoClient } from '../src/store/dynamodb/client.ts'
import { createDynamoUsageStore } from '../src/store/dynamodb/dynamo-usage-store.ts'
import { entityBucketOf } from '../src/store/dynamodb/table-keys.ts'
import { createAggregator } from '../src/usage/aggregator.ts'
import type { StreamBatchResponse, StreamEvent } from '../src/usage/stream-record.ts'

/** No one waits for it: rather late than given up. */
const DEADLINE_MS = 5_000

const settings = readSettings(process.env)
const logger = createPowertoolsLogger('zael-aggregator', settings.logLevel)
const metrics = createPowertoolsMetrics('zael-aggregator')
const client = createDynamoClient({
  clock: systemClock,
  logger,
  deadlineMs: DEADLINE_MS,
  tableName: settings.tableName,
})
const usageStore = createDynamoUsageStore(client, settings.tableName)
const aggregator = createAggregator({ usageStore, entityBucketOf, logger, metrics })

export const handler = async (event: StreamEvent): Promise<StreamBatchResponse> => {
  const response = await aggregator.handle(event)
  metrics.publish()
  return response
}
