import packageJson from '../package.json' with { type: 'json' }
import { UserError } from '../src/command-line/command-line.ts'
import { createConsoleLogger } from '../src/platform/console-logger.ts'
import { readSettings, SettingsError } from '../src/settings/read-settings.ts'
import {
  announcement,
  readServeOptions,
  SERVE_HELP,
  type ServeOptions,
  watchNpm,
} from './serve/start-command.ts'
import type { RunningServer } from './serve/start-server.ts'
import { type ServerOptions, startTableHost } from './serve/start-table-host.ts'

const { version } = packageJson
/** npm forwards a Ctrl-C that the terminal has also sent to this process. */
const SAME_SIGNAL_MS = 1_000

/** Read before the first await: later, the parent of an orphan is another process. */
const STARTED_BY = process.ppid

const complain = (error: unknown): void => {
  const isExpected = error instanceof UserError || error instanceof SettingsError
  process.stderr.write(`zael: ${isExpected ? error.message : error instanceof Error ? error.stack : error}\n`)
}

const fail = (error: unknown): never => {
  complain(error)
  process.exit(1)
}

const start = async ({ workers }: ServeOptions): Promise<void> => {
  const settings = readSettings(process.env)
  // the versions of packages are determined by zael
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
  const logger = createConsoleLogger(settings.logLevel)
  const server = await startParts(
    { settings, environment: process.env, version, logger, onFailure: fail },
    workers,
  )
  // before the announcement, as a reader of it may send a signal immediately
  stopOnSignals(server)
  process.stdout.write(announcement({ version, settings, ...server }))
}

/** The engine starts in its thread while this one loads the API. */
const startParts = async (options: ServerOptions, workers: number): Promise<RunningServer> => {
  const host = startTableHost(options)
  // a failure is reported where it is awaited
  host.catch(() => {})
  if (workers === 1) return (await import('./serve/start-server.ts')).startServer(options, host)
  return (await import('./workers/start-workers.ts')).startWorkers(options, host, workers)
}

/** The first signal, or the end of npm, stops cleanly; a later signal exits immediately. */
const stopOnSignals = (server: RunningServer): void => {
  let stoppingSince: number | undefined
  const stop = async (): Promise<void> => {
    if (stoppingSince !== undefined) {
      if (performance.now() - stoppingSince > SAME_SIGNAL_MS) process.exit(1)
      return
    }
    stoppingSince = performance.now()
    await server.stop().catch(fail)
    process.exit(0)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  watchNpm({
    environment: process.env,
    npmId: STARTED_BY,
    parentId: () => process.ppid,
    onGone: () => void (stoppingSince === undefined && stop()),
  })
}

const main = async (): Promise<void> => {
  const options = readServeOptions(process.argv.slice(2))
  if (options === undefined) process.stdout.write(SERVE_HELP)
  else await start(options)
}

await main().catch(fail)
