import type { Hono } from 'hono'
import { bundlePage } from '../../lib/bundle-page.ts'
import { createChatBackend } from '../../src/chat/create-chat-backend.ts'
import { createTokenCounter } from '../../src/chat/token-counter.ts'
import { createLimiter, type Limiter } from '../../src/core/decide/limiter.ts'
import type { Logger } from '../../src/core/ports/platform.ts'
import { createApp } from '../../src/http/app.ts'
import type { AppEnv } from '../../src/http/app-dependencies.ts'
import { createPackageAssets } from '../../src/http/docs/package-assets.ts'
import { lruCaches } from '../../src/platform/lru-caches.ts'
import type { PrometheusMetrics } from '../../src/platform/prometheus-metrics.ts'
import { randomSecrets } from '../../src/platform/random-secrets.ts'
import { shortPause } from '../../src/platform/short-pause.ts'
import { systemClock } from '../../src/platform/system-clock.ts'
import { createFailureLog } from '../../src/store/dynamodb/calling/failure-log.ts'
import {
  createDynamoAdminStore,
  createDynamoConfigStore,
} from '../../src/store/dynamodb/dynamo-admin-store.ts'
import { createDynamoBucketStore } from '../../src/store/dynamodb/dynamo-bucket-store.ts'
import { createDynamoIdempotencyStore } from '../../src/store/dynamodb/dynamo-idempotency-store.ts'
import { createDynamoReservationStore } from '../../src/store/dynamodb/dynamo-reservation-store.ts'
import { createDynamoUsageStore } from '../../src/store/dynamodb/dynamo-usage-store.ts'
import { createMemoryBucketStore } from '../../src/store/memory/memory-bucket-store.ts'
import { hasDefaultToken, httpSettings, limiterSettings, type Settings } from '../settings/settings.ts'
import { connect, PREPARING_DEADLINE_MS } from './connect.ts'
import type { TableAddress } from './table-host.ts'

/** One node: everything but the socket it listens on and the engine it stores in. */
export interface Node {
  readonly app: Hono<AppEnv>
  readonly limiter: Limiter
  close(): void
}

export interface NodeOptions extends SharedParts {
  readonly host: TableAddress
  readonly settings: Settings
  readonly version: string
  /** What `/metrics` says, where it is not what this node has counted alone. */
  readonly metricsText?: () => Promise<string>
}

const LOOK_AT_DASHBOARD_EVERY_MS = 1_000

/** Deciding has its own client: its calls are cut off sooner than an administrator's. */
const openTable = (host: TableAddress, settings: Settings, logger: Logger) => {
  const { tableName, maxClockSkewMs, storeDeadlineMs } = settings
  const failureLog = createFailureLog(systemClock, logger)
  const common = { logger, maxClockSkewMs, tableName, failureLog }
  const deciding = connect(host, { ...common, deadlineMs: storeDeadlineMs })
  const administering = connect(host, { ...common, deadlineMs: PREPARING_DEADLINE_MS })
  const config = createDynamoConfigStore(deciding, tableName)
  return {
    config,
    buckets: createDynamoBucketStore(deciding, tableName),
    reservations: createDynamoReservationStore(deciding, tableName),
    idempotency: createDynamoIdempotencyStore(deciding, tableName),
    store: { ...createDynamoAdminStore(administering, tableName, systemClock), ...config },
    usage: createDynamoUsageStore(administering, tableName),
    close() {
      deciding.close()
      administering.close()
    },
  }
}

type Table = ReturnType<typeof openTable>
type SharedParts = Readonly<{ logger: Logger; metrics: PrometheusMetrics }>

const createNodeLimiter = (table: Table, settings: Settings, shared: SharedParts): Limiter =>
  createLimiter({
    ...shared,
    buckets: table.buckets,
    localBuckets: createMemoryBucketStore(),
    config: table.config,
    clock: systemClock,
    newCache: lruCaches,
    pause: shortPause,
    settings: limiterSettings(settings),
  })

/** Puts one node together. It opens no connection before the first request. */
export const createNode = (options: NodeOptions): Node => {
  const { host, settings, version, logger, metrics } = options
  const shared = { logger, metrics }
  const table = openTable(host, settings, logger)
  const limiter = createNodeLimiter(table, settings, shared)
  const tokens = createTokenCounter()
  const app = createApp({
    ...shared,
    limiter,
    store: table.store,
    checkHealth: table.buckets.checkHealth,
    reservations: table.reservations,
    idempotency: table.idempotency,
    usage: table.usage,
    backend: createChatBackend({ clock: systemClock, tokens, logger }, settings),
    tokens,
    secrets: randomSecrets,
    clock: systemClock,
    caches: lruCaches,
    settings: httpSettings(settings, version, {
      streamIntervalMs: LOOK_AT_DASHBOARD_EVERY_MS,
      isLocalOnly: hasDefaultToken(settings),
    }),
    assets: createPackageAssets(version, bundlePage),
    metricsText: options.metricsText ?? metrics.text,
  })
  return { app, limiter, close: table.close }
}
