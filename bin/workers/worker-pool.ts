import type { Worker } from 'node:cluster'
import cluster from 'node:cluster'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { StartError } from '../../src/command-line/failure.ts'
import type { Logger } from '../../src/core/ports/platform.ts'
import type { WorkerCommand, WorkerMessage } from './worker-messages.ts'

const SHORTEST_MS = 250

const LONGEST_MS = 30_000

/** A worker that lived so long is no sign of another's early end. */
export const HEALTHY_MS = 60_000

/** How long to wait before the next worker takes the place of one that has ended, after `deaths` early ends in a row (1 or more). */
export const backOffMs = (deaths: number): number => Math.min(LONGEST_MS, SHORTEST_MS * 2 ** (deaths - 1))

type Heard = (message: WorkerMessage, answer: (command: WorkerCommand) => void) => void

export interface PoolOptions {
  readonly workers: number
  /** What worker `number` (1 and up) is told to begin with. */
  readonly commandOf: (number: number) => WorkerCommand
  /** Hears what is said after the start. */
  readonly onMessage: Heard
  readonly logger: Logger
}

/** Workers that share a port. One that ends is replaced, later each time that it ends early. */
export interface WorkerPool {
  readonly url: string
  /** Tells all that live; says how many. */
  tell(command: WorkerCommand): number
  stop(): Promise<void>
}

/** Above what stopping a node takes at most. */
const STOP_PATIENCE_MS = 10_000

const tellWorker = (worker: Worker, command: WorkerCommand): void => {
  // one that has just ended is told in vain
  if (worker.isConnected()) worker.send(command, () => {})
}

/** Forks a worker. Resolves when it listens, to its URL. Throws `StartError`. */
const launch = async (
  number: number,
  { commandOf, onMessage }: PoolOptions,
  keep: (worker: Worker) => void,
) => {
  const worker = cluster.fork()
  keep(worker)
  return new Promise<string>((resolve, reject) => {
    worker.on('exit', (code) =>
      reject(new StartError(`worker ${number} ended with ${code} before it listened`)),
    )
    worker.on('message', (message: WorkerMessage) => {
      if (message.says === 'ready') tellWorker(worker, commandOf(number))
      else if (message.says === 'listening') resolve(message.url)
      else if (message.says === 'failed') reject(new StartError(message.message))
      else onMessage(message, (command) => tellWorker(worker, command))
    })
  })
}

const ended = async (worker: Worker): Promise<void> => {
  if (worker.isDead()) return
  const exit = once(worker, 'exit')
  const hurry = setTimeout(() => worker.process.kill('SIGKILL'), STOP_PATIENCE_MS)
  tellWorker(worker, { says: 'stop' })
  await exit
  clearTimeout(hurry)
}

/** What is to be done after a while, unless it is cancelled before. */
const createDelayed = () => {
  const waiting = new Set<NodeJS.Timeout>()
  return {
    after(ms: number, act: () => void): void {
      const timer = setTimeout(() => {
        waiting.delete(timer)
        act()
      }, ms)
      waiting.add(timer)
    },
    cancel(): void {
      for (const timer of waiting) clearTimeout(timer)
    },
  }
}

/** Keeps a worker for each number that has been placed. */
const createPlaces = (options: PoolOptions) => {
  const { logger } = options
  const alive = new Map<number, Worker>()
  const replacements = createDelayed()
  let isStopping = false

  const replace = (number: number, deaths: number, reason: string | number): void => {
    const afterMs = backOffMs(deaths)
    logger.warn('A worker has ended: another takes its place', { worker: number, reason, afterMs })
    replacements.after(afterMs, () =>
      // one that does not start has ended as well, which leads to the next
      place(number, deaths).catch((error: unknown) =>
        logger.error('A worker did not start', { worker: number, error }),
      ),
    )
  }
  const place = async (number: number, earlyDeaths = 0): Promise<string> => {
    const sinceMs = performance.now()
    const url = await launch(number, options, (worker) => {
      alive.set(number, worker)
      worker.on('exit', (code, signal) => {
        alive.delete(number)
        const isEarly = performance.now() - sinceMs < HEALTHY_MS
        if (!isStopping) replace(number, isEarly ? earlyDeaths + 1 : 1, signal ?? code)
      })
    })
    logger.info('A worker answers', { worker: number, pid: alive.get(number)?.process.pid })
    return url
  }
  const stop = async (): Promise<void> => {
    isStopping = true
    replacements.cancel()
    await Promise.all([...alive.values()].map(ended))
  }
  return { alive, place, stop }
}

/** Starts the workers. Throws `StartError`, with none left, where one cannot start. */
export const startWorkerPool = async (options: PoolOptions): Promise<WorkerPool> => {
  const exec = fileURLToPath(new URL('./worker.ts', import.meta.url))
  cluster.setupPrimary({ exec, args: [], serialization: 'advanced' })
  const { alive, place, stop } = createPlaces(options)
  const numbers = Array.from({ length: options.workers }, (_, index) => index + 1)
  const urls = await Promise.all(numbers.map((number) => place(number))).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  return {
    url: urls[0] ?? '',
    tell(command) {
      for (const worker of alive.values()) tellWorker(worker, command)
      return alive.size
    },
    stop,
  }
}
