import { UserError } from '../../src/command-line/command-line.ts'
import { createConsoleLogger } from '../../src/platform/console-logger.ts'
import { readSettings, SettingsError } from '../../src/settings/read-settings.ts'
import { announcement, type ServeOptions } from './start-command.ts'
import type { RunningServer } from './start-server.ts'
import { type ServerOptions, startTableHost } from './start-table-host.ts'

export interface ServeRun {
  readonly version: string
  /** Called once the server runs, with a function that stops it cleanly and exits. */
  readonly onStarted?: (stop: () => Promise<void>) => void
}

/** npm forwards a Ctrl-C that the terminal has also sent to this process. */
const SAME_SIGNAL_MS = 1_000

const complain = (error: unknown): void => {
  const isExpected = error instanceof UserError || error instanceof SettingsError
  process.stderr.write(`zael: ${isExpected ? error.message : error instanceof Error ? error.stack : error}\n`)
}

/** Prints a failure, in one line if users can correct it, and exits with 1. */
export const fail = (error: unknown): never => {
  complain(error)
  process.exit(1)
}

/**
 * Serves until a signal, and then exits. Resolves once the server runs and its addresses are printed. Throws `SettingsError`, and
 * `StartError` for failures that users can correct.
 */
export const serve = async (
  { workers, port }: ServeOptions,
  { version, onStarted }: ServeRun,
): Promise<void> => {
  // workers read the environment too
  if (port !== undefined) process.env.PORT = String(port)
  const settings = readSettings(process.env)
  // the versions of packages are determined by zael
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
  const logger = createConsoleLogger(settings.logLevel)
  const server = await startParts(
    { settings, environment: process.env, version, logger, onFailure: fail },
    workers,
  )
  // before the announcement, as a reader of it may send a signal immediately
  const stop = stopOnSignals(server)
  onStarted?.(stop)
  process.stdout.write(announcement({ version, settings, ...server }))
}

/** The engine starts in its thread while this one loads the API. */
const startParts = async (options: ServerOptions, workers: number): Promise<RunningServer> => {
  const host = startTableHost(options)
  // a failure is reported where it is awaited
  host.catch(() => {})
  if (workers === 1) return (await import('./start-server.ts')).startServer(options, host)
  return (await import('../workers/start-workers.ts')).startWorkers(options, host, workers)
}

/** The first signal stops cleanly, as does the returned function; a later signal exits immediately. */
const stopOnSignals = (server: RunningServer): (() => Promise<void>) => {
  let stoppingSince: number | undefined
  const stop = async (): Promise<void> => {
    stoppingSince = performance.now()
    await server.stop().catch(fail)
    process.exit(0)
  }
  const onSignal = async (): Promise<void> => {
    if (stoppingSince === undefined) await stop()
    else if (performance.now() - stoppingSince > SAME_SIGNAL_MS) process.exit(1)
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return async () => {
    if (stoppingSince === undefined) await stop()
  }
}
