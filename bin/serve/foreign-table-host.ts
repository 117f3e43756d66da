import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import { isLocalEndpoint } from '../../seed/local-endpoint.ts'
import type { Logger } from '../../src/core/ports/platform.ts'
import { findStream, startStreamPoller } from '../feed/stream-poller.ts'
import type { Environment } from '../settings/settings-reader.ts'
import type { TableHost } from './table-host.ts'

/** What a local engine is told where the environment names no one: it looks at none of it. */
const ANYONE = { accessKeyId: 'test', secretAccessKey: 'test' }

const hasCredentials = (environment: Environment): boolean =>
  Boolean(environment.AWS_ACCESS_KEY_ID || environment.AWS_PROFILE)

/** Whose name and region calls to `endpoint` carry: those of the environment, or anyone's on a local engine. */
export const accessTo = (
  endpoint: string,
  environment: Environment,
): Pick<TableHost, 'region' | 'credentials'> => ({
  region: environment.AWS_REGION || environment.AWS_DEFAULT_REGION || 'us-east-1',
  credentials: isLocalEndpoint(endpoint) && !hasCredentials(environment) ? ANYONE : undefined,
})

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

/** The DynamoDB of AWS_ENDPOINT_URL. Where it has streams, the table's is polled. */
export const foreignTableHost = (
  { endpoint, tableName }: { readonly endpoint: string; readonly tableName: string },
  environment: Environment,
  logger: Logger,
): TableHost => {
  const access = accessTo(endpoint, environment)
  return {
    ...access,
    endpoint,
    hasStreams: true,
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
