import { resolve } from 'node:path'
import type { StreamRecord } from '../../src/usage/stream-record.ts'
import type { Engine } from '../embedded/engine.ts'
import { startEngineThread } from '../embedded/engine-thread.ts'
import { createRecordQueue } from '../feed/record-queue.ts'
import type { Settings } from '../settings/settings.ts'
import { codeOf, portError, reasonOf, StartError } from './start-error.ts'
import type { TableHost } from './table-host.ts'

type EngineSettings = Pick<Settings, 'dynamodbPort' | 'dataDir' | 'tableName'>

/** Any will do: the engine looks at none of it. */
const LOCAL_ACCESS = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
} as const

const explain = (error: unknown, { dynamodbPort, dataDir }: EngineSettings): StartError => {
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
 * Starts a DynamoDB in this process. `onFailure` hears of an engine that breaks down later. Throws `StartError` for a
 * taken port and a directory that cannot be used.
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
    throw explain(error, settings)
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
