import { createProgress } from './load/measuring/progress.ts'
import { hasFailed, reportOf, reportText } from './load/measuring/report.ts'
import { HELP } from './load/options/help.ts'
import { type LoadOptions, OptionError, readLoadOptions } from './load/options/options.ts'
import { totalMs } from './load/options/stages.ts'
import { runLoad } from './load/run-load.ts'

/** npm passes a Ctrl-C on that the terminal has sent to this process as well. */
const SAME_SIGNAL_MS = 1_000

/** The first signal ends the run and prints what was measured; another one, later, ends at once. */
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

const load = async (options: LoadOptions): Promise<void> => {
  const signal = stopOnSignals()
  const progress = createProgress(process.stderr, totalMs(options.stages))
  const result = await runLoad({ options, signal, onProgress: progress.show })
  progress.clear()
  const report = reportOf(options, result, signal.aborted)
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : reportText(report))
  if (report.lost_processes > 0) {
    process.stderr.write(
      `load: ${report.lost_processes} processes broke down: what they sent is not counted\n`,
    )
  }
  if (hasFailed(report)) process.exitCode = 1
}

const main = async (): Promise<void> => {
  try {
    const options = readLoadOptions(process.argv.slice(2))
    if (options === undefined) process.stdout.write(HELP)
    else await load(options)
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    process.stderr.write(`load: ${error.message}\n`)
    process.exitCode = 1
  }
}

await main()
