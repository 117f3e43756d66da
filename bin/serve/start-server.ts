import { reasonOf, StartError } from '../../src/command-line/failure.ts'
import { type Connect, connectTo } from '../../src/compose/connect.ts'
import { composeZael, type Tokens, type Zael } from '../../src/compose/zael.ts'
import { ZaelError } from '../../src/core/model/errors.ts'
import type { Logger } from '../../src/core/ports/platform.ts'
import { createDirectListener } from '../../src/http/node/direct-listener.ts'
import { createPrometheusMetrics, type PrometheusMetrics } from '../../src/platform/prometheus-metrics.ts'
import { lruCaches } from '../../src/platform/runtime.ts'
import { hasDefaultToken } from '../../src/settings/read-settings.ts'
import type { Environment, Settings } from '../../src/settings/settings.ts'
import { warnOfGuessable } from './api-keys-file.ts'
import { assetsOf } from './assets.ts'
import { type Listening, listen } from './listen.ts'
import { prepareTable } from './prepare-table.ts'
import { startCounting } from './start-counting.ts'
import { type ServerOptions, type StartedHost, startTableHost } from './start-table-host.ts'
import type { TableHost } from './table-host.ts'
import { serveTokens, type TokenSource } from './tokens.ts'

export interface RunningServer {
  readonly apiUrl: string
  readonly host: TableHost
  /** Completes requests in progress, settles, writes counts, and closes the data. */
  stop(): Promise<void>
}

/** The functions that stop the started parts, in the order of their starts. */
export type Stops = (() => Promise<void> | void)[]

const DASHBOARD_INTERVAL_MS = 1_000

const prepare = async (
  host: TableHost,
  { settings, environment, logger }: ServerOptions,
  { keys, upstreams }: StartedHost,
): Promise<void> => {
  try {
    await prepareTable(host, { settings, environment, keys, upstreams, logger })
  } catch (error) {
    if (error instanceof StartError) throw error
    if (error instanceof ZaelError) throw new StartError(error.message, { cause: error })
    if (settings.awsEndpointUrl === null) throw error
    throw new StartError(`AWS_ENDPOINT_URL ${host.endpoint} cannot be used: ${reasonOf(error)}`, {
      cause: error,
    })
  }
}

/** Creates the host's table and fills it, if necessary. */
export const startTable = async (
  starting: Promise<StartedHost>,
  options: ServerOptions,
  stops: Stops,
): Promise<TableHost> => {
  const { settings, logger } = options
  const started = await starting
  const { host, keys } = started
  stops.push(host.stop)
  warnOfGuessable(keys, settings, logger)
  await prepare(host, options, started)
  return host
}

/** One node: everything except the engine that contains its table. */
export interface NodeOptions {
  /** The DynamoDB of the table. */
  readonly connect: Connect
  readonly settings: Settings
  /** Default: the tokens of the settings. */
  readonly tokens?: TokenSource | undefined
  readonly version: string
  readonly logger: Logger
  readonly metrics: PrometheusMetrics
  /** Contains the secrets of upstreams. */
  readonly environment: Environment
  /** The text of `/metrics`. Default: the metrics of this node. */
  readonly metricsText?: () => Promise<string>
}

/** Starts a listening node. Resolves to its URL. */
export const startApi = async (options: NodeOptions, stops: Stops): Promise<string> => {
  const { connect, settings, version, logger, metrics, environment, metricsText = metrics.text } = options
  const zael = composeZael(settings, {
    connect,
    logger,
    metrics,
    caches: lruCaches,
    assets: assetsOf(version),
    version,
    environment,
    listener: {
      runsBetweenRequests: true,
      streamIntervalMs: DASHBOARD_INTERVAL_MS,
      isLocalOnly: hasDefaultToken(settings),
    },
    metricsText,
  })
  zael.start()
  stops.push(zael.close)
  const listening = await listenWith(zael, options, stops)
  stops.push(listening.stop)
  return listening.url
}

/** Listens with the API of the current tokens. */
const listenWith = async (
  zael: Zael,
  { settings, tokens, logger }: NodeOptions,
  stops: Stops,
): Promise<Listening> => {
  const apiOf = (accepted: Tokens) => {
    const { app, hot } = zael.api(accepted)
    return { fetch: app.fetch, direct: createDirectListener(hot) }
  }
  const { host, port, keepAliveSeconds, stopGraceSeconds } = settings
  const common = { host, port, keepAliveSeconds, stopGraceMs: stopGraceSeconds * 1000 }
  if (tokens === undefined) return listen({ ...common, ...apiOf(settings) })
  const served = await serveTokens({ tokens, apiOf, logger })
  stops.push(served.stop)
  return listen({
    ...common,
    fetch: (request, env) => served.current().fetch(request, env),
    direct: (incoming, outgoing, others) => served.current().direct(incoming, outgoing, others),
  })
}

export const stopAll = async (stops: Stops): Promise<void> => {
  for (const stop of stops.splice(0).reverse()) await stop()
}

/** Starts all parts, or none: if one cannot start, those before it are stopped. */
export const startAll = async <Started extends object>(
  startParts: (stops: Stops) => Promise<Started>,
): Promise<Started & Pick<RunningServer, 'stop'>> => {
  const stops: Stops = []
  try {
    const started = await startParts(stops)
    return { ...started, stop: () => stopAll(stops) }
  } catch (error) {
    await stopAll(stops)
    throw error
  }
}

/**
 * Starts everything in this process. The host of the table may have been started before this module was loaded.
 * Throws `StartError` for failures that users can correct.
 */
export const startServer = (
  options: ServerOptions,
  starting: Promise<StartedHost> = startTableHost(options),
): Promise<RunningServer> =>
  startAll(async (stops) => {
    const host = await startTable(starting, options, stops)
    const { settings, version, logger, environment } = options
    const metrics = createPrometheusMetrics()
    const counting = await startCounting(host, { settings, environment, logger, metrics })
    stops.push(counting.stop)
    const connect = connectTo(host)
    const apiUrl = await startApi({ connect, settings, version, logger, metrics, environment }, stops)
    return { apiUrl, host }
  })
