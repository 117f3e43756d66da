import { startEngineThread } from '../src/embedded/engine-thread.ts'

/** The DynamoDB that is measured on. */
export interface BenchEngine {
  readonly endpoint: string
  stop(): Promise<void>
}

/**
 * An engine in a thread of this process, or the one at `endpoint`. What it would tell a stream is not asked of it: that would
 * cost its own time, as it does not where DynamoDB does it.
 */
export const openEngine = async (endpoint: string | undefined): Promise<BenchEngine> => {
  if (endpoint !== undefined) return { endpoint, stop: async () => {} }
  return startEngineThread(
    { port: 0, dataDir: undefined, tableName: '' },
    { onRecords: () => {}, onFailure: (error) => console.error(error) },
  )
}
