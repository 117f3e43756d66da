import { Worker } from 'node:worker_threads'
import type { StreamRecord } from '../usage/stream-usage.ts'
import type { Engine, EngineOptions } from './engine.ts'

/** Commands to the engine's thread. */
export type EngineCommand = 'flush' | 'stop'

/** Messages of the engine's thread. Records that were sent before a reply arrive before it. */
export type EngineMessage =
  | { readonly type: 'started'; readonly endpoint: string }
  | { readonly type: 'failed'; readonly code: string | undefined; readonly message: string }
  | { readonly type: 'records'; readonly records: readonly StreamRecord[] }
  | { readonly type: 'flushed' | 'stopped' }

export interface EngineListeners {
  readonly onRecords: (records: readonly StreamRecord[]) => void
  /** The engine failed after its start; nothing can be stored any more. */
  readonly onFailure: (error: Error) => void
}

/** The engine did not start. `code` is the system's, if there is one: `EADDRINUSE`, `LEVEL_LOCKED`, … */
class EngineStartError extends Error {
  override readonly name = 'EngineStartError'
  readonly code: string | undefined

  constructor(message: string, code: string | undefined) {
    super(message)
    this.code = code
  }
}

type ReplyType = EngineMessage['type']

const replyOf = (worker: Worker, type: ReplyType): Promise<void> =>
  new Promise((resolve, reject) => {
    const settle = (): void => {
      worker.off('message', onMessage)
      worker.off('exit', onExit)
    }
    const onMessage = (message: EngineMessage): void => {
      if (message.type !== type) return
      settle()
      resolve()
    }
    const onExit = (): void => {
      settle()
      reject(new Error('the engine has ended'))
    }
    worker.on('message', onMessage)
    worker.on('exit', onExit)
  })

const started = (worker: Worker): Promise<string> =>
  new Promise((resolve, reject) => {
    worker.once('error', reject)
    worker.once('message', (message: EngineMessage) => {
      if (message.type === 'started') resolve(message.endpoint)
      else if (message.type === 'failed') reject(new EngineStartError(message.message, message.code))
      else reject(new Error(`the engine sent ${message.type} before started`))
    })
  })

/**
 * Starts the engine in a thread. It shares the process of the API but not its event loop, so that neither delays the
 * other beyond its deadlines. Rejects with `EngineStartError`.
 */
export const startEngineThread = async (
  options: EngineOptions,
  listeners: EngineListeners,
): Promise<Engine> => {
  const worker = new Worker(new URL('./engine-worker.mjs', import.meta.url), {
    workerData: options,
    execArgv: [],
  })
  const endpoint = await started(worker).catch(async (error: unknown) => {
    await worker.terminate()
    throw error
  })
  worker.on('message', (message: EngineMessage) => {
    if (message.type === 'records') listeners.onRecords(message.records)
  })
  worker.on('error', listeners.onFailure)
  const request = async (command: EngineCommand, replyType: ReplyType): Promise<void> => {
    const reply = replyOf(worker, replyType)
    worker.postMessage(command)
    await reply
  }
  return {
    endpoint,
    flush: () => request('flush', 'flushed'),
    async stop() {
      await request('stop', 'stopped')
      await worker.terminate()
    },
  }
}
