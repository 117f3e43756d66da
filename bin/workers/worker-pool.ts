import type { Worker } from 'node:cluster'
import cluster from 'node:cluster'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { StartError } from '../../src/command-line/failure.ts'
import type { Logger } from '../../src/core/ports/platform.ts'
import type { WorkerCommand, WorkerMessage } from './worker-messages.ts'

const SHORTEST_MS = 250

const LONGEST_MS = 30_000

/** A worker that ran for this long did not end early. */
export const HEALTHY_MS = 60_000

/** The delay before an ended worker is replaced, after `deaths` consecutive early ends (1 or more). */
export const backOffMs = (deaths: number): number => Math.min(LONGEST_MS, SHORTEST_MS * 2 ** (deaths - 1))

type OnMessage = (message: WorkerMessage, reply: (command: WorkerCommand) => void) => void

export interface PoolOptions {
  readonly workers: number
  /** The first command to worker `number` (1 and up). */
  readonly commandOf: (number: number) => WorkerCommand
  /** Receives messages after the start. */
  readonly onMessage: OnMessage
  readonly logger: Logger
  /** How long a worker may take to finish requests in progress when it stops. */
  readonly stopGraceMs: number
}

/** Workers that share a port. A worker that ends is replaced; the delay grows with every early end. */
export interface WorkerPool {
  readonly url: string
  /** Sends a command to all workers. Returns their number. */
  send(command: WorkerCommand): number
  stop(): Promise<void>
}

/** How long a node takes to stop after the requests in progress have ended. */
const STOP_PATIENCE_MS = 3_000

const sendTo = (worker: Worker, command: WorkerCommand): void => {
  // a worker may have ended just now
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
      if (message.type === 'ready') sendTo(worker, commandOf(number))
      else if (message.type === 'listening') resolve(message.url)
      else if (message.type === 'failed') reject(new StartError(message.message))
      else onMessage(message, (command) => sendTo(worker, command))
    })
  })
}

const ended = async (worker: Worker, stopGraceMs: number): Promise<void> => {
  if (worker.isDead()) return
  const exit = once(worker, 'exit')
  const hurry = setTimeout(() => worker.process.kill('SIGKILL'), stopGraceMs + STOP_PATIENCE_MS)
  sendTo(worker, { type: 'stop' })
  await exit
  clearTimeout(hurry)
}

/** Delayed actions that can be cancelled. */
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

/** Keeps one worker running for each number. */
const createPlaces = (options: PoolOptions) => {
  const { logger, stopGraceMs } = options
  const alive = new Map<number, Worker>()
  const replacements = createDelayed()
  let isStopping = false

  const replace = (number: number, deaths: number, reason: string | number): void => {
    const afterMs = backOffMs(deaths)
    logger.warn('worker ended: another replaces it', { worker: number, reason, afterMs })
    replacements.after(afterMs, () =>
      // a worker that does not start has ended too, which leads to the next attempt
      place(number, deaths).catch((error: unknown) =>
        logger.error('worker did not start', { worker: number, error }),
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
    logger.info('worker listens', { worker: number, pid: alive.get(number)?.process.pid })
    return url
  }
  const stop = async (): Promise<void> => {
    isStopping = true
    replacements.cancel()
    await Promise.all([...alive.values()].map((worker) => ended(worker, stopGraceMs)))
  }
  return { alive, place, stop }
}

/** Starts the workers. If one cannot start, stops all and throws `StartError`. */
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
    send(command) {
      for (const worker of alive.values()) sendTo(worker, command)
      return alive.size
    },
    stop,
  }
}
