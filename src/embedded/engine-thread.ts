import { Worker } from 'node:worker_threads'
import type { StreamRecord } from '../usage/stream-usage.ts'
import type { Engine, EngineOptions } from './engine.ts'

/** What is asked of the engine's thread. */
export type EngineCommand = 'flush' | 'stop'

/** What the engine's thread says. Records that were sent before an answer arrive before it. */
export type EngineMessage =
  | { readonly says: 'started'; readonly endpoint: string }
  | { readonly says: 'failed'; readonly code: string | undefined; readonly message: string }
  | { readonly says: 'records'; readonly records: readonly StreamRecord[] }
  | { readonly says: 'flushed' | 'stopped' }

export interface EngineListeners {
  readonly onRecords: (records: readonly StreamRecord[]) => void
  /** The engine broke down after it had started; nothing can be stored any more. */
  readonly onFailure: (error: Error) => void
}

/** Why the engine did not start: the system's code (`EADDRINUSE`, `LEVEL_LOCKED`, …), where there is one. */
export class EngineStartError extends Error {
  override readonly name = 'EngineStartError'
  readonly code: string | undefined

  constructor(message: string, code: string | undefined) {
    super(message)
    this.code = code
  }
}

type Says = EngineMessage['says']

const answerTo = (worker: Worker, says: Says): Promise<void> =>
  new Promise((resolve, reject) => {
    const settle = (): void => {
      worker.off('message', heard)
      worker.off('exit', gone)
    }
    const heard = (message: EngineMessage): void => {
      if (message.says !== says) return
      settle()
      resolve()
    }
    const gone = (): void => {
      settle()
      reject(new Error('the engine has ended'))
    }
    worker.on('message', heard)
    worker.on('exit', gone)
  })

const started = (worker: Worker): Promise<string> =>
  new Promise((resolve, reject) => {
    worker.once('error', reject)
    worker.once('message', (message: EngineMessage) => {
      if (message.says === 'started') resolve(message.endpoint)
      else if (message.says === 'failed') reject(new EngineStartError(message.message, message.code))
      else reject(new Error(`the engine said ${message.says} before it had started`))
    })
  })

/**
 * The engine in a thread of its own: it and the API share a process and not an event loop, so a busy one does not eat
 * the other's deadlines. Rejects with `EngineStartError`.
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
    if (message.says === 'records') listeners.onRecords(message.records)
  })
  worker.on('error', listeners.onFailure)
  const ask = async (command: EngineCommand, answer: Says): Promise<void> => {
    const answered = answerTo(worker, answer)
    worker.postMessage(command)
    await answered
  }
  return {
    endpoint,
    flush: () => ask('flush', 'flushed'),
    async stop() {
      await ask('stop', 'stopped')
      await worker.terminate()
    },
  }
}
