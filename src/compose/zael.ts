import type { Limiter } from '../core/decide/limiter.ts'
import type { CacheFactory, Logger, Metrics } from '../core/ports/platform.ts'
import type { UpstreamMetrics, UpstreamStates } from '../core/ports/upstreams.ts'
import { type Api, createApi as createHttpApi } from '../http/app.ts'
import type { Assets, HttpSettings } from '../http/app-dependencies.ts'
import { createUpstreamLookup } from '../http/upstreams/upstream-lookup.ts'
import { systemClock } from '../platform/runtime.ts'
import { randomSecrets } from '../platform/secrets.ts'
import type { Environment, Settings } from '../settings/settings.ts'
import { createTargetCheck } from './alert-targets.ts'
import type { Connect } from './connect.ts'
import { composeGateway } from './gateway.ts'
import { composeLimiter, flushOf } from './limiter.ts'
import { openTable } from './table.ts'
import { type ComposedTokens, composeTokens, withTokens } from './tokens.ts'
import { createSecretReader, environmentUpstreamOf, processRegionOf } from './upstreams.ts'

/** The parts that differ between a server and a Lambda. */
export interface ZaelParts {
  readonly connect: Connect
  readonly logger: Logger
  readonly metrics: ProcessMetrics
  readonly caches: CacheFactory
  /** The files of the docs pages and of the dashboard. */
  readonly assets: Assets
  readonly version: string
  readonly listener: ListenerFacts
  /** The environment, for secrets of upstreams that it contains. */
  readonly environment: Environment
  /** The time that is left for the current request, in ms; undefined: the platform does not limit it. */
  readonly remainingMs?: () => number
  /** The text of `/metrics`; undefined: there is no such route. */
  readonly metricsText?: () => Promise<string>
}

/** The metrics of a process that calls upstreams. */
export interface ProcessMetrics extends Metrics {
  readonly upstreams: UpstreamMetrics
  /** Shows the states of upstreams; undefined if nothing reads metrics at any time. */
  watch?(states: UpstreamStates): void
}

/** How requests arrive. */
export interface ListenerFacts extends Pick<HttpSettings, 'streamIntervalMs' | 'isLocalOnly'> {
  /** Whether the process runs between requests; on Lambda it does not. */
  readonly runsBetweenRequests: boolean
}

export type Tokens = Pick<Settings, 'adminToken' | 'viewerToken'>

/** zael without its engine and its socket. Opens no connection before the first request. */
export interface Zael {
  readonly limiter: Limiter
  /** The API that accepts these tokens. */
  api(tokens: Tokens): Api
  /** Writes refunds and counts that are due four times a second, until `close`. For processes that run between requests. */
  start(): void
  /** Writes counts that are due. Never throws: the log contains the error. */
  flush(): Promise<void>
  /** Writes all counts and closes the connections. Never throws. */
  close(): Promise<void>
}

/** The longest that a refund waits for others of its bucket. */
const FLUSH_EVERY_MS = 250

/** The composition root: wires the stores, the limiter, the gateway and the API. */
export const composeZael = (settings: Settings, parts: ZaelParts): Zael => {
  const tokens = composeTokens(settings, parts)
  const table = withTokens(openTable({ ...parts, settings }), tokens)
  const { runsBetweenRequests } = parts.listener
  const limiter = composeLimiter(settings, { ...parts, table, runsBetweenRequests })
  const flush = flushOf(limiter, parts.logger)
  const upstreams = wireUpstreams(settings, parts, table)
  let timer: NodeJS.Timeout | undefined
  return {
    limiter,
    api: createApi(settings, parts, { table, tokens, limiter, upstreams }),
    start() {
      timer ??= setInterval(flush, FLUSH_EVERY_MS)
    },
    flush: () => flush(),
    async close() {
      clearInterval(timer)
      await upstreams.gateway.close()
      await flush({ all: true })
      table.close()
    },
  }
}

interface Wired {
  readonly table: ReturnType<typeof openTable>
  readonly tokens: ComposedTokens | undefined
  readonly limiter: Limiter
  readonly upstreams: ReturnType<typeof wireUpstreams>
}

/** The gateway, and what it shares with the routes that configure upstreams. */
const wireUpstreams = (settings: Settings, parts: ZaelParts, table: ReturnType<typeof openTable>) => {
  const environmentUpstream = environmentUpstreamOf(settings)
  const lookup = createUpstreamLookup({
    store: table.store,
    clock: systemClock,
    caches: parts.caches,
    settings: { configCacheMs: settings.configCacheSeconds * 1000 },
    environmentUpstream,
  })
  const secretReader = createSecretReader(settings, parts)
  const { metrics } = parts
  const gateway = composeGateway(settings, {
    ...parts,
    upstreams: lookup,
    secrets: secretReader,
    upstreamMetrics: metrics.upstreams,
  })
  metrics.watch?.(gateway)
  return { environmentUpstream, lookup, secretReader, gateway }
}

const createApi = (
  settings: Settings,
  parts: ZaelParts,
  { table, tokens, limiter, upstreams }: Wired,
): Zael['api'] => {
  const { logger, metrics, caches, assets, metricsText } = parts
  const { gateway, secretReader, environmentUpstream, lookup } = upstreams
  return (accepted) =>
    createHttpApi({
      limiter,
      store: table.store,
      checkHealth: table.buckets.checkHealth,
      reservations: table.reservations,
      idempotency: table.idempotency,
      responses: table.responses,
      usage: table.usage,
      alertEvents: table.alertEvents,
      checkAlertTarget: createTargetCheck(settings, parts),
      backend: gateway,
      secretReader,
      upstreamStates: gateway,
      environmentUpstream,
      processRegion: processRegionOf(parts.environment),
      onChange({ upstreamName }) {
        if (upstreamName !== undefined) lookup.forget(upstreamName)
      },
      secrets: randomSecrets,
      tokens,
      clock: systemClock,
      logger,
      metrics,
      caches,
      settings: { ...httpSettings(settings, parts), ...accepted },
      assets,
      ...(metricsText && { metricsText }),
    })
}

const httpSettings = (
  settings: Settings,
  { version, listener }: ZaelParts,
): Omit<HttpSettings, keyof Tokens> => ({
  nodeId: settings.nodeId,
  version,
  defaultModel: settings.defaultModel,
  errorFormat: settings.errorFormat,
  maxBodyBytes: settings.maxBodyBytes,
  maxModelBodyBytes: settings.maxModelBodyBytes,
  maxRetrySeconds: settings.maxRetrySeconds,
  corsOrigins: settings.corsOrigins,
  trustedProxies: settings.trustedProxies,
  rateLimitingEnabled: settings.rateLimitingEnabled,
  bypassLimiter: settings.bypassLimiter,
  defaultRpmLimit: settings.defaultRpmLimit,
  defaultTpmLimit: settings.defaultTpmLimit,
  windowSeconds: settings.rateLimitWindowSeconds,
  configCacheMs: settings.configCacheSeconds * 1000,
  streamIntervalMs: listener.streamIntervalMs,
  isLocalOnly: listener.isLocalOnly,
})
