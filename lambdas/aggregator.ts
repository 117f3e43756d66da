import { openAggregator } from '../src/compose/aggregator.ts'
import { connectToAws } from '../src/compose/connect.ts'
import { createPowertoolsLogger, createPowertoolsMetrics } from '../src/platform/powertools.ts'
import { traceToSources } from '../src/platform/source-maps.ts'
import { readSettings } from '../src/settings/read-settings.ts'
import type { StreamBatchResponse, StreamEvent } from '../src/usage/stream-usage.ts'

traceToSources()
const environment = process.env
const settings = readSettings(environment)
const logger = createPowertoolsLogger('zael-aggregator', settings.logLevel)
const metrics = createPowertoolsMetrics('zael-aggregator')
const { aggregator, deliver } = openAggregator({
  connect: connectToAws,
  settings,
  environment,
  logger,
  metrics,
})

/** Attempts to deliver alerts begin within this time of an invocation, which may take a minute. */
const DELIVERING_MS = 20_000

/** Invoked with records of the stream, and by a schedule, without records, for attempts that are due. */
export const handler = async (event: Partial<StreamEvent>): Promise<StreamBatchResponse> => {
  const { Records } = event
  const response = Records === undefined ? { batchItemFailures: [] } : await aggregator.handle({ Records })
  await deliver(DELIVERING_MS)
  metrics.publish()
  return response
}
