import { UserError } from '../../src/command-line/command-line.ts'
import { connectionFailure } from '../../src/command-line/failure.ts'
import type { LoadOptions } from './options.ts'
import { createProgress, failureOf, reportOf, reportText } from './report.ts'
import { runLoad } from './run-load.ts'
import { totalMs } from './stages.ts'

/** npm forwards a Ctrl-C that the terminal has also sent to this process. */
const SAME_SIGNAL_MS = 1_000

/** The first signal ends the run and prints the measurements; a later one exits immediately. */
const stopOnSignals = (): AbortSignal => {
  const stopping = new AbortController()
  let stoppingSinceMs: number | undefined
  const stop = (): void => {
    stoppingSinceMs ??= performance.now()
    if (performance.now() - stoppingSinceMs > SAME_SIGNAL_MS) process.exit(1)
    stopping.abort()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return stopping.signal
}

/** Throws `UserError` if none of the nodes can be reached; errors of a single node are reported with its requests. */
const requireNode = async (nodes: readonly string[]): Promise<void> => {
  const failures = await Promise.all(nodes.map(connectionFailure))
  if (failures.includes(undefined)) return
  const reasons = nodes.map((node, index) => `${node} (${failures[index]})`).join(', ')
  throw new UserError(`no node can be reached: ${reasons}; start one, or name another with --nodes`)
}

/**
 * Runs the load until its end or a signal, and prints the measurements. Throws `UserError` if no node can be reached, no request
 * succeeded, or a process ended early.
 */
export const load = async (options: LoadOptions): Promise<void> => {
  await requireNode(options.nodes)
  const signal = stopOnSignals()
  const progress = createProgress(process.stderr, totalMs(options.stages))
  const result = await runLoad({ options, signal, onProgress: progress.show })
  progress.clear()
  const report = reportOf(options, result, signal.aborted)
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : reportText(report))
  const failure = failureOf(report)
  if (failure !== undefined) throw new UserError(failure)
}
