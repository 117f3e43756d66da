import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import { accessTo } from '../../src/compose/connect.ts'
import type { Logger } from '../../src/core/ports/platform.ts'
import type { Environment } from '../../src/settings/settings.ts'
import { findStream, startStreamPoller } from './stream-poller.ts'
import type { TableHost } from './table-host.ts'

/** The table's stream. Undefined: this process counts no usage, and the log contains the reason. */
const streamOf = async (
  client: DynamoDBStreamsClient,
  tableName: string,
  logger: Logger,
): Promise<string | undefined> => {
  try {
    const streamArn = await findStream(client, tableName)
    if (streamArn === undefined)
      logger.info('this DynamoDB has no stream of the table: usage is counted by the process that owns it')
    return streamArn
  } catch (error) {
    const region = await client.config.region()
    logger.error('stream not found: usage is not counted by this process', {
      table: tableName,
      region,
      error,
    })
    return undefined
  }
}

/** The DynamoDB of AWS_ENDPOINT_URL. If it has streams, the table's stream is polled. */
export const foreignTableHost = (
  { endpoint, tableName }: { readonly endpoint: string; readonly tableName: string },
  environment: Environment,
  logger: Logger,
): TableHost => {
  const access = accessTo(endpoint, environment)
  return {
    ...access,
    endpoint,
    isOwn: false,
    async feed(deliver) {
      const { region, credentials } = access
      const client = new DynamoDBStreamsClient({ endpoint, region, ...(credentials && { credentials }) })
      const streamArn = await streamOf(client, tableName, logger)
      if (streamArn === undefined) {
        client.destroy()
        return { stop: async () => {} }
      }
      const poller = startStreamPoller({ client, streamArn, deliver, logger })
      return {
        async stop() {
          await poller.stop()
          client.destroy()
        },
      }
    },
    stop: async () => {},
  }
}
