import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { LoadOptions } from './options.ts'
import { type Counts, createTally, type TallyCounts } from './tally.ts'

/** Commands to a process of the load client. */
export type LoadCommand =
  | { readonly type: 'begin'; readonly options: LoadOptions; readonly process: number }
  | { readonly type: 'stop' }

/** Messages of a process: it is ready, its progress at intervals, and all its counts at the end. */
export type LoadMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'progress'; readonly total: Counts }
  | { readonly type: 'ended'; readonly counts: TallyCounts; readonly elapsedMs: number }

export interface LoadResult {
  readonly counts: TallyCounts
  readonly total: Counts
  readonly elapsedMs: number
  /** The number of processes that failed; their counts are missing. */
  readonly lostProcesses: number
}

export interface LoadRun {
  readonly options: LoadOptions
  /** Ends the run early. */
  readonly signal: AbortSignal
  /** The counts so far, by process. */
  readonly onProgress: (totals: readonly Counts[]) => void
}

type Ended = Extract<LoadMessage, { type: 'ended' }>

interface LoadProcess {
  /** False: it failed before. */
  readonly ready: Promise<boolean>
  /** Undefined: it failed. */
  readonly ended: Promise<Ended | undefined>
  send(command: LoadCommand): void
}

const startProcess = (onProgress: (total: Counts) => void): LoadProcess => {
  const child: ChildProcess = fork(new URL('./load-process.ts', import.meta.url), {
    serialization: 'advanced',
  })
  let ended: Ended | undefined
  const exited = once(child, 'exit')
  const ready = new Promise<boolean>((resolve) => {
    exited.then(() => resolve(false))
    child.on('message', (message: LoadMessage) => {
      if (message.type === 'ready') resolve(true)
      else if (message.type === 'progress') onProgress(message.total)
      else ended = message
    })
  })
  return {
    ready,
    ended: exited.then(() => ended),
    // the process may have just ended
    send: (command) => void (child.connected && child.send(command, () => {})),
  }
}

const merge = ({ nodes, apiKeys }: LoadOptions, all: readonly (Ended | undefined)[]): LoadResult => {
  const tally = createTally(nodes.length, apiKeys.length)
  const ended = all.filter((one) => one !== undefined)
  for (const { counts } of ended) tally.add(counts)
  return {
    counts: tally.counts(),
    total: tally.total(),
    elapsedMs: Math.max(0, ...ended.map(({ elapsedMs }) => elapsedMs)),
    lostProcesses: all.length - ended.length,
  }
}

/** Starts the processes, lets them begin together, and sums their counts. */
export const runLoad = async ({ options, signal, onProgress }: LoadRun): Promise<LoadResult> => {
  const totals: Counts[] = []
  const processes = Array.from({ length: options.processes }, (_, index) =>
    startProcess((total) => {
      totals[index] = total
      onProgress(totals.filter((one) => one !== undefined))
    }),
  )
  await Promise.all(processes.map(({ ready }) => ready))
  for (const [index, { send }] of processes.entries()) send({ type: 'begin', options, process: index })
  const stop = (): void => {
    for (const { send } of processes) send({ type: 'stop' })
  }
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop)
  return merge(options, await Promise.all(processes.map(({ ended }) => ended)))
}
