import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import { isLocalEndpoint } from '../../seed/local-endpoint.ts'
import type { Logger } from '../../src/core/ports/logger.ts'
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
      const streamArn = await findStream(client, tableName).catch((error: unknown) => {
        logger.error('stream not found: usage is not counted by this process', {
          table: tableName,
          region,
          error,
        })
        return null
      })
      if (streamArn == null) client.destroy()
      if (streamArn === null) return { stop: async () => {} }
      if (streamArn === undefined) {
        logger.info('this DynamoDB has no stream of the table: usage is counted by the process that owns it')
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
