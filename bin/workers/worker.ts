import { reasonOf, StartError } from '../../src/command-line/failure.ts'
import { connectTo, connectToAws } from '../../src/compose/connect.ts'
import { createConsoleLogger } from '../../src/platform/console-logger.ts'
import { createPrometheusMetrics } from '../../src/platform/prometheus-metrics.ts'
import { type Stops, startApi, stopAll } from '../serve/start-server.ts'
import { tokensOf } from '../serve/tokens.ts'
import { createReplies, type WorkerCommand, type WorkerMessage } from './worker-messages.ts'

const METRICS_PATIENCE_MS = 2_000

// a Ctrl-C in the terminal reaches workers too: the primary process stops them
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})

const metrics = createPrometheusMetrics()
const texts = createReplies<string>(METRICS_PATIENCE_MS)
const stops: Stops = []

const send = (message: WorkerMessage): void => {
  process.send?.(message)
}

/** The metrics of all processes, or of this one if the primary does not reply. */
const metricsText = async (): Promise<string> =>
  (await texts.to((request) => send({ type: 'metrics-text-wanted', request }))) ?? metrics.text()

const serve = async (command: Extract<WorkerCommand, { type: 'serve' }>): Promise<void> => {
  const { table, settings, version } = command
  const environment = process.env
  const logger = createConsoleLogger(settings.logLevel)
  const connect = table === undefined ? connectToAws : connectTo(table)
  try {
    const tokens = table === undefined ? tokensOf(environment, logger) : undefined
    const options = { connect, settings, tokens, environment, version, logger, metrics, metricsText }
    send({ type: 'listening', url: await startApi(options, stops) })
  } catch (error) {
    send({ type: 'failed', message: error instanceof StartError ? error.message : reasonOf(error) })
    await stop(1)
  }
}

const stop = async (code: number): Promise<void> => {
  await stopAll(stops)
  process.exit(code)
}

process.on('message', async (command: WorkerCommand) => {
  if (command.type === 'serve') await serve(command)
  else if (command.type === 'metrics-text') texts.arrived(command.request, command.text)
  else if (command.type === 'stop') await stop(0)
  else send({ type: 'metrics', request: command.request, metrics: await metrics.snapshot() })
})
send({ type: 'ready' })
