import { resolve } from 'node:path'
import { codeOf, portError, reasonOf, StartError } from '../../src/command-line/failure.ts'
import type { Engine } from '../../src/embedded/engine.ts'
import { startEngineThread } from '../../src/embedded/engine-thread.ts'
import type { Settings } from '../../src/settings/settings.ts'
import type { StreamRecord } from '../../src/usage/stream-usage.ts'
import { createRecordQueue } from './delivery.ts'
import type { TableHost } from './table-host.ts'

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
    isOwn: true,
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
