import { connectToAws } from '../src/compose/connect.ts'
import { openAggregator } from '../src/compose/table.ts'
import { createPowertoolsLogger, createPowertoolsMetrics } from '../src/platform/powertools.ts'
import { traceToSources } from '../src/platform/source-maps.ts'
import { readSettings } from '../src/settings/read-settings.ts'
import type { StreamBatchResponse, StreamEvent } from '../src/usage/stream-usage.ts'

traceToSources()
const settings = readSettings(process.env)
const logger = createPowertoolsLogger('zael-aggregator', settings.logLevel)
const metrics = createPowertoolsMetrics('zael-aggregator')
const { aggregator } = openAggregator({ connect: connectToAws, settings, logger, metrics })

export const handler = async (event: StreamEvent): Promise<StreamBatchResponse> => {
  const response = await aggregator.handle(event)
  metrics.publish()
  return response
}
