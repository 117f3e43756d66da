import type { Logger, Metrics } from '../../src/core/ports/platform.ts'
import { createDynamoUsageStore } from '../../src/store/dynamodb/dynamo-usage-store.ts'
import { entityBucketOf } from '../../src/store/dynamodb/table-keys.ts'
import { createAggregator } from '../../src/usage/aggregator.ts'
import { connect, PREPARING_DEADLINE_MS } from '../serve/connect.ts'
import type { Feed, TableHost } from '../serve/table-host.ts'
import type { Settings } from '../settings/settings.ts'
import { createDelivery } from './deliver-in-order.ts'

export interface CountingOptions {
  readonly settings: Pick<Settings, 'tableName' | 'maxClockSkewMs'>
  readonly logger: Logger
  readonly metrics: Metrics
}

/** Hands the table's writes to an aggregator. Once for a table host, however many nodes write. */
export const startCounting = async (
  host: TableHost,
  { settings, logger, metrics }: CountingOptions,
): Promise<Feed> => {
  const { tableName, maxClockSkewMs } = settings
  const client = connect(host, { logger, maxClockSkewMs, tableName, deadlineMs: PREPARING_DEADLINE_MS })
  const usageStore = createDynamoUsageStore(client, tableName)
  const aggregator = createAggregator({ logger, metrics, usageStore, entityBucketOf })
  const feed = await host.feed(createDelivery({ aggregator, logger })).catch((error: unknown) => {
    client.close()
    throw error
  })
  return {
    async stop() {
      await feed.stop()
      client.close()
    },
  }
}
