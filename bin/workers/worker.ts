import { reasonOf, StartError } from '../../src/command-line/failure.ts'
import { createConsoleLogger } from '../../src/platform/console-logger.ts'
import { createPrometheusMetrics } from '../../src/platform/prometheus-metrics.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { type Stops, startApi, stopAll } from '../serve/start-server.ts'
import { createReplies, type WorkerCommand, type WorkerMessage } from './worker-messages.ts'

const METRICS_PATIENCE_MS = 2_000

// a Ctrl-C of the terminal reaches workers as well: the primary says when to stop
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})

const settings = readSettings(process.env)
const logger = createConsoleLogger(settings.logLevel)
const metrics = createPrometheusMetrics()
const texts = createReplies<string>(METRICS_PATIENCE_MS)
const stops: Stops = []

const say = (message: WorkerMessage): void => {
  process.send?.(message)
}

/** What all workers have counted; what this one has, where the primary does not answer. */
const metricsText = async (): Promise<string> =>
  (await texts.to((request) => say({ says: 'metrics-text-wanted', request }))) ?? metrics.text()

const serve = async ({
  table,
  nodeId,
  version,
}: Extract<WorkerCommand, { says: 'serve' }>): Promise<void> => {
  const options = { table, settings: { ...settings, nodeId }, version, logger, metrics, metricsText }
  try {
    say({ says: 'listening', url: await startApi(options, stops) })
  } catch (error) {
    say({ says: 'failed', message: error instanceof StartError ? error.message : reasonOf(error) })
    await stop(1)
  }
}

const stop = async (code: number): Promise<void> => {
  await stopAll(stops)
  process.exit(code)
}

process.on('message', async (command: WorkerCommand) => {
  if (command.says === 'serve') await serve(command)
  else if (command.says === 'metrics-text') texts.arrived(command.request, command.text)
  else if (command.says === 'stop') await stop(0)
  else say({ says: 'metrics', request: command.request, metrics: await metrics.snapshot() })
})
say({ says: 'ready' })
