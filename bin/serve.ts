import { fail, serve } from './serve/run-serve.ts'
import { readServeOptions, serveHelp, watchNpm } from './serve/start-command.ts'
import { zaelVersion } from './version.ts'

/** Read before the first await: later, the parent of an orphan is another process. */
const STARTED_BY = process.ppid

/** npm forwards signals, except if it is killed. */
const stopWithNpm = (stop: () => Promise<void>): void =>
  watchNpm({
    environment: process.env,
    event: 'start',
    npmId: STARTED_BY,
    parentId: () => process.ppid,
    onGone: () => void stop(),
  })

const main = async (): Promise<void> => {
  const options = readServeOptions(process.argv.slice(2))
  if (options === undefined) process.stdout.write(serveHelp('npm start [-- options]'))
  else await serve(options, { version: zaelVersion(), onStarted: stopWithNpm })
}

await main().catch(fail)
