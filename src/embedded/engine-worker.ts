import { parentPort, workerData } from 'node:worker_threads'
import { type EngineOptions, startEngine } from './engine.ts'
import type { EngineCommand, EngineMessage } from './engine-thread.ts'

const send = (message: EngineMessage): void => parentPort?.postMessage(message)

/** The innermost cause: LevelDB's own message is only "Database failed to open". */
const rootOf = (error: unknown): unknown =>
  error instanceof Error && error.cause !== undefined ? rootOf(error.cause) : error

const failure = (error: unknown): EngineMessage => {
  const root = rootOf(error)
  const code = root instanceof Error && 'code' in root ? String(root.code) : undefined
  return { type: 'failed', code, message: root instanceof Error ? root.message : String(root) }
}

const run = async (options: EngineOptions): Promise<void> => {
  const engine = await startEngine(options, (records) => send({ type: 'records', records }))
  parentPort?.on('message', async (command: EngineCommand) => {
    if (command === 'flush') {
      await engine.flush()
      send({ type: 'flushed' })
    } else {
      await engine.stop()
      send({ type: 'stopped' })
      parentPort?.close()
    }
  })
  send({ type: 'started', endpoint: engine.endpoint })
}

await run(workerData).catch((error: unknown) => send(failure(error)))
