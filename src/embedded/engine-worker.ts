import { parentPort, workerData } from 'node:worker_threads'
import { type EngineOptions, startEngine } from './engine.ts'
import type { EngineCommand, EngineMessage } from './engine-thread.ts'

const say = (message: EngineMessage): void => parentPort?.postMessage(message)

/** The cause at the bottom: LevelDB says "Database failed to open" and keeps the reason inside. */
const rootOf = (error: unknown): unknown =>
  error instanceof Error && error.cause !== undefined ? rootOf(error.cause) : error

const failure = (error: unknown): EngineMessage => {
  const root = rootOf(error)
  const code = root instanceof Error && 'code' in root ? String(root.code) : undefined
  return { says: 'failed', code, message: root instanceof Error ? root.message : String(root) }
}

const run = async (options: EngineOptions): Promise<void> => {
  const engine = await startEngine(options, (records) => say({ says: 'records', records }))
  parentPort?.on('message', async (command: EngineCommand) => {
    if (command === 'flush') {
      await engine.flush()
      say({ says: 'flushed' })
    } else {
      await engine.stop()
      say({ says: 'stopped' })
      parentPort?.close()
    }
  })
  say({ says: 'started', endpoint: engine.endpoint })
}

await run(workerData).catch((error: unknown) => say(failure(error)))
