import { startEngineThread } from '../src/embedded/engine-thread.ts'

/** The DynamoDB of the measurement. */
export interface BenchEngine {
  readonly endpoint: string
  stop(): Promise<void>
}

/**
 * An engine in a thread of this process, or the one at `endpoint`. It has no stream: serving one would take time here,
 * which it does not on DynamoDB.
 */
export const openEngine = async (endpoint: string | undefined): Promise<BenchEngine> => {
  if (endpoint !== undefined) return { endpoint, stop: async () => {} }
  return startEngineThread(
    { port: 0, dataDir: undefined, tableName: '' },
    { onRecords: () => {}, onFailure: (error) => console.error(error) },
  )
}
