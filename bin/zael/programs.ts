import { usageError } from '../../cli/failure.ts'
import type { ProgramEntry } from '../../cli/session.ts'
import { readCommandLine, UserError } from '../../src/command-line/command-line.ts'

/** Read before the first await: later, the parent of an orphan is another process. */
const STARTED_BY = process.ppid

/** The programs of this folder's neighbours as commands of `zael`. Their code is loaded when they are called. */
export const programsOf = (version: string): readonly ProgramEntry[] => [
  {
    name: 'serve',
    summary: 'Serve the API and the dashboard on this machine, with a DynamoDB of its own in memory',
    options: ['--port', '--workers', '--help'],
    run: (args) => runServe(args, version),
  },
  {
    name: 'load',
    summary: 'Send requests to servers, and measure responses and latency',
    options: ['--nodes', '--api-keys', '--api-keys-file', '--duration', '--concurrency', '--check', '--help'],
    run: runLoad,
  },
]

const runServe = async (args: readonly string[], version: string): Promise<void> => {
  const { readServeOptions, serveHelp, watchNpm } = await import('../serve/start-command.ts')
  const options = usage(() => readServeOptions(args))
  if (options === undefined) return void process.stdout.write(serveHelp('zael serve [options]'))
  const { serve } = await import('../serve/run-serve.ts')
  const { SettingsError } = await import('../../src/settings/read-settings.ts')
  const onStarted = (stop: () => Promise<void>): void =>
    watchNpm({
      environment: process.env,
      event: 'npx',
      npmId: STARTED_BY,
      parentId: () => process.ppid,
      onGone: () => void stop(),
    })
  await serve(options, { version, onStarted }).catch((error: unknown) => {
    throw error instanceof SettingsError ? usageError(error.message) : error
  })
}

const runLoad = async (args: readonly string[]): Promise<void> => {
  const { LOAD_OPTIONS, loadHelp, loadOptionsOf } = await import('../load/options.ts')
  const given = usage(() => readCommandLine(args, { options: LOAD_OPTIONS }))
  if (given === undefined) return void process.stdout.write(loadHelp('zael load'))
  const options = usage(() => loadOptionsOf(given.values))
  const { load } = await import('../load/load.ts')
  await load(options)
}

/** Errors of arguments have an exit code of their own in `zael`. */
const usage = <T>(read: () => T): T => {
  try {
    return read()
  } catch (error) {
    throw error instanceof UserError ? usageError(error.message) : error
  }
}
