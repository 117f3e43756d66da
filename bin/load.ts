import { runCommandLine, UserError } from '../src/command-line/command-line.ts'
import { connectionFailure } from '../src/command-line/failure.ts'
import { HELP, LOAD_OPTIONS, type LoadOptions, loadOptionsOf } from './load/options.ts'
import { createProgress, failureOf, reportOf, reportText } from './load/report.ts'
import { runLoad } from './load/run-load.ts'
import { totalMs } from './load/stages.ts'

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

const load = async (options: LoadOptions): Promise<void> => {
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

await runCommandLine({ command: 'npm run load', help: HELP, options: LOAD_OPTIONS }, ({ values }) =>
  load(loadOptionsOf(values)),
)
