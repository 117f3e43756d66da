import { fileURLToPath } from 'node:url'
import { httpSettings, limiterSettings, type Settings } from '../bin/settings/settings.ts'
import { SettingsError } from '../bin/settings/settings-reader.ts'
import { createChatBackend } from '../src/chat/create-chat-backend.ts'
import { createTokenCounter } from '../src/chat/token-counter.ts'
import { createLimiter, type Limiter } from '../src/core/decide/limiter.ts'
import type { CacheFactory, Logger, Metrics } from '../src/core/ports/platform.ts'
import { createApp } from '../src/http/app.ts'
import type { Assets } from '../src/http/app-dependencies.ts'
import { createDirectoryAssets } from '../src/http/docs/directory-assets.ts'
import { lruCaches } from '../src/platform/lru-caches.ts'
import { randomSecrets } from '../src/platform/random-secrets.ts'
import { shortPause } from '../src/platform/short-pause.ts'
import { systemClock } from '../src/platform/system-clock.ts'
import { createFailureLog } from '../src/store/dynamodb/calling/failure-log.ts'
import { createDynamoClient } from '../src/store/dynamodb/client.ts'
import { createDynamoAdminStore, createDynamoConfigStore } from '../src/store/dynamodb/dynamo-admin-store.ts'
import { createDynamoBucketStore } from '../src/store/dynamodb/dynamo-bucket-store.ts'
import { createDynamoIdempotencyStore } from '../src/store/dynamodb/dynamo-idempotency-store.ts'
import { createDynamoReservationStore } from '../src/store/dynamodb/dynamo-reservation-store.ts'
import { createDynamoUsageStore } from '../src/store/dynamodb/dynamo-usage-store.ts'
import { createMemoryBucketStore } from '../src/store/memory/memory-bucket-store.ts'
import { version } from './version.ts'

/** The files of the docs pages and of the dashboard lie beside the bundle; what makes the OpenAPI document is loaded when it is asked for. */
const assets: Assets = {
  ...createDirectoryAssets(fileURLToPath(new URL('assets', import.meta.url))),
  async openApiDocument(app) {
    const { openApiDocument } = await import('../src/http/docs/openapi-document.ts')
    return openApiDocument(app, version)
  },
}

/** A Lambda environment serves one request at a time, and starts anew often: large caches would only slow that down. */
const MOST_CACHED = 2_000
const smallCaches: CacheFactory = ({ max }) => lruCaches({ max: Math.min(max, MOST_CACHED) })

export interface ApiParts {
  readonly settings: Settings
  readonly logger: Logger
  readonly metrics: Metrics
}

/** What administrators change and people look at may take longer than a decision. */
const ADMINISTERING_DEADLINE_MS = 5_000

const openTable = ({ settings, logger }: ApiParts) => {
  const { tableName, storeDeadlineMs, maxClockSkewMs } = settings
  const failureLog = createFailureLog(systemClock, logger)
  const connect = (deadlineMs: number) =>
    createDynamoClient({ clock: systemClock, logger, deadlineMs, maxClockSkewMs, tableName, failureLog })
  const deciding = connect(storeDeadlineMs)
  const administering = connect(ADMINISTERING_DEADLINE_MS)
  const config = createDynamoConfigStore(deciding, tableName)
  return {
    config,
    buckets: createDynamoBucketStore(deciding, tableName),
    reservations: createDynamoReservationStore(deciding, tableName),
    idempotency: createDynamoIdempotencyStore(deciding, tableName),
    store: { ...createDynamoAdminStore(administering, tableName, systemClock), ...config },
    usage: createDynamoUsageStore(administering, tableName),
  }
}

/** Lambda environments start whenever a request comes: none of them is the one to write keys into the table. */
const refuseKeyFiles = ({ apiKeysFile, apiKeysJson }: Settings): void => {
  if (apiKeysFile === null && apiKeysJson === null) return
  throw new SettingsError([
    'API_KEYS_FILE and API_KEYS_JSON are for npm start: on Lambda make keys by POST /api/entities/{id}/keys',
  ])
}

/**
 * Puts the API together for a Lambda: one limiter, and an app for each pair of tokens. Opens no connection yet. Throws
 * `SettingsError` for settings that a Lambda cannot have.
 */
export const createApi = (parts: ApiParts) => {
  const { settings, ...shared } = parts
  refuseKeyFiles(settings)
  const { buckets, config, ...stores } = openTable(parts)
  const limiter: Limiter = createLimiter({
    ...shared,
    buckets,
    localBuckets: createMemoryBucketStore(),
    config,
    clock: systemClock,
    newCache: smallCaches,
    pause: shortPause,
    settings: { ...limiterSettings(settings), useDelayMs: 0 },
  })
  const tokens = createTokenCounter()
  const backend = createChatBackend({ clock: systemClock, tokens, logger: parts.logger }, settings)
  const appFor = (adminToken: string, viewerToken: string) =>
    createApp({
      ...shared,
      limiter,
      ...stores,
      checkHealth: buckets.checkHealth,
      backend,
      tokens,
      secrets: randomSecrets,
      clock: systemClock,
      caches: smallCaches,
      settings: {
        ...httpSettings(settings, version, { streamIntervalMs: null, isLocalOnly: false }),
        adminToken,
        viewerToken,
      },
      assets,
    })
  return { limiter, appFor }
}
