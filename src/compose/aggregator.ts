import type { Metrics } from '../core/ports/platform.ts'
import type { Settings } from '../settings/settings.ts'
import { entityBucketOf } from '../store/dynamodb/table-keys.ts'
import { createDynamoUsageStore } from '../store/dynamodb/usage-store.ts'
import { type Aggregator, createAggregator } from '../usage/aggregator.ts'
import type { AlertDelivery } from '../usage/alert-delivery.ts'
import type { AlertingParts } from './alerting.ts'
import { openAlerting } from './alerts.ts'
import { type Connect, LONG_DEADLINE_MS } from './connect.ts'
import type { SecretSources } from './upstreams.ts'

export interface AggregatorParts extends SecretSources {
  readonly connect: Connect
  readonly settings: AlertingParts['settings'] & Pick<Settings, 'maxClockSkewMs'>
  readonly metrics: Metrics
}

/** The aggregator of a table, and the delivery of its alerts, with a client of their own. */
export const openAggregator = ({
  connect,
  ...parts
}: AggregatorParts): AlertDelivery & { readonly aggregator: Aggregator; close(): void } => {
  const { settings, logger, metrics } = parts
  const { tableName, maxClockSkewMs } = settings
  const client = connect({ logger, tableName, maxClockSkewMs, deadlineMs: LONG_DEADLINE_MS })
  const usageStore = createDynamoUsageStore(client, tableName)
  const { observe, deliver } = openAlerting({ ...parts, client })
  const aggregator = createAggregator({ usageStore, entityBucketOf, observeAlerts: observe, logger, metrics })
  return { aggregator, deliver, close: client.close }
}
