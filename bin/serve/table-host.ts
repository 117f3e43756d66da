import { resolve } from 'node:path'
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import { codeOf, portError, reasonOf, StartError } from '../../src/command-line/failure.ts'
import { accessTo, type TableAddress } from '../../src/compose/connect.ts'
import type { Logger } from '../../src/core/ports/platform.ts'
import type { Engine } from '../../src/embedded/engine.ts'
import { startEngineThread } from '../../src/embedded/engine-thread.ts'
import type { Environment, Settings } from '../../src/settings/settings.ts'
import type { StreamRecord } from '../../src/usage/stream-usage.ts'
import { createRecordQueue, type Deliver } from './delivery.ts'
import { findStream, startStreamPoller } from './stream-poller.ts'

/** The DynamoDB of the table: the embedded one, or another. */
export interface TableHost extends TableAddress {
  /** Whether the engine has streams; if so, the table is created with one. */
  readonly hasStreams: boolean
  /** Starts to deliver the table's writes to the aggregator; the table must exist. */
  feed(deliver: Deliver): Promise<Feed>
  /** Closes the embedded engine. */
  stop(): Promise<void>
}

export interface Feed {
  /** Resolves when all completed writes have been delivered. */
  stop(): Promise<void>
}

type EngineSettings = Pick<Settings, 'dynamodbPort' | 'dataDir' | 'tableName'>

/** Placeholders: the engine ignores them. */
const LOCAL_ACCESS = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
} as const

const explainEngine = (error: unknown, { dynamodbPort, dataDir }: EngineSettings): StartError => {
  const code = codeOf(error) ?? ''
  if (['EADDRINUSE', 'EACCES'].includes(code) && reasonOf(error).startsWith('listen')) {
    return portError(error, 'DYNAMODB_PORT', dynamodbPort)
  }
  if (dataDir === null)
    return new StartError(`the engine did not start: ${reasonOf(error)}`, { cause: error })
  const path = resolve(dataDir)
  const why = code === 'LEVEL_LOCKED' ? 'another process uses it' : reasonOf(error)
  return new StartError(`DATA_DIR ${path} cannot be used: ${why}`, { cause: error })
}

/**
 * Starts a DynamoDB in this process. `onFailure` is called if the engine fails later. Throws `StartError` if the port is
 * taken or the directory cannot be used.
 */
export const startOwnTableHost = async (
  settings: EngineSettings,
  onFailure: (error: Error) => void,
): Promise<TableHost> => {
  const early: StreamRecord[] = []
  let onRecords = (records: readonly StreamRecord[]): void => {
    early.push(...records)
  }
  const { dynamodbPort: port, tableName, dataDir } = settings
  const options = { port, tableName, dataDir: dataDir === null ? undefined : resolve(dataDir) }
  const listeners = { onFailure, onRecords: (records: readonly StreamRecord[]) => onRecords(records) }
  const engine: Engine = await startEngineThread(options, listeners).catch((error: unknown) => {
    throw explainEngine(error, settings)
  })
  return {
    ...LOCAL_ACCESS,
    endpoint: engine.endpoint,
    hasStreams: false,
    async feed(deliver) {
      const queue = createRecordQueue(deliver)
      queue.add(early.splice(0))
      onRecords = queue.add
      return {
        async stop() {
          await engine.flush()
          await queue.drained()
        },
      }
    },
    stop: engine.stop,
  }
}

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
