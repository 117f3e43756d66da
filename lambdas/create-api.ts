import { fileURLToPath } from 'node:url'
import { defaultLimits, httpSettings } from '../bin/settings/derived-settings.ts'
import type { Settings } from '../bin/settings/settings.ts'
import packageJson from '../package.json' with { type: 'json' }
import { timerDelay } from '../src/chat/delay.ts'
import { createSimulatedModel } from '../src/chat/simulated-model.ts'
import { createTokenCounter } from '../src/chat/token-counter.ts'
import { createLimiter } from '../src/core/deciding/create-limiter.ts'
import type { Limiter } from '../src/core/deciding/decision.ts'
import type { Logger } from '../src/core/ports/logger.ts'
import type { Metrics } from '../src/core/ports/metrics.ts'
import { createApp } from '../src/http/app.ts'
import type { Assets } from '../src/http/app-dependencies.ts'
import { createDirectoryAssets } from '../src/http/docs/directory-assets.ts'
import { lruCaches } from '../src/platform/lru-caches.ts'
import { randomSecrets } from '../src/platform/random-secrets.ts'
import { shortPause } from '../src/platform/short-pause.ts'
import { systemClock } from '../src/platform/system-clock.ts'
import { createDynamoClient } from '../src/store/dynamodb/client.ts'
import { createDynamoAdminStore } from '../src/store/dynamodb/dynamo-admin-store.ts'
import { createDynamoBucketStore } from '../src/store/dynamodb/dynamo-bucket-store.ts'
import { createDynamoUsageStore } from '../src/store/dynamodb/dynamo-usage-store.ts'
import { createMemoryBucketStore } from '../src/store/memory/memory-bucket-store.ts'

const { version } = packageJson

/** The files of the docs pages lie beside the bundle; what makes the OpenAPI document is loaded when it is asked for. */
const assets: Assets = {
  read: createDirectoryAssets(fileURLToPath(new URL('assets', import.meta.url))).read,
  async openApiDocument(app) {
    const { openApiDocument } = await import('../src/http/docs/openapi-document.ts')
    return openApiDocument(app, version)
  },
}

export interface ApiParts {
  readonly settings: Settings
  readonly logger: Logger
  readonly metrics: Metrics
}

const openTable = ({ settings, logger }: ApiParts) => {
  const { tableName, storeDeadlineMs: deadlineMs, maxClockSkewMs } = settings
  const client = createDynamoClient({ clock: systemClock, logger, deadlineMs, maxClockSkewMs })
  return {
    buckets: createDynamoBucketStore(client, tableName),
    store: createDynamoAdminStore(client, tableName, systemClock),
    usage: createDynamoUsageStore(client, tableName),
  }
}

/** Puts the API together for a Lambda: one limiter, and an app for each pair of tokens. Opens no connection yet. */
export const createApi = (parts: ApiParts) => {
  const { settings, ...shared } = parts
  const { buckets, store, usage } = openTable(parts)
  const limiter: Limiter = createLimiter({
    ...shared,
    buckets,
    localBuckets: createMemoryBucketStore(),
    config: store,
    clock: systemClock,
    newCache: lruCaches,
    pause: shortPause,
    settings: {
      defaultLimits: defaultLimits(settings),
      configCacheMs: settings.configCacheSeconds * 1000,
      storeDeadlineMs: settings.storeDeadlineMs,
      onUnavailable: settings.onUnavailable,
      isEnabled: settings.rateLimitingEnabled,
      useDelayMs: 0,
    },
  })
  const { simulatedLatencyMs: latencyMs, nodeId } = settings
  const appFor = (adminToken: string, viewerToken: string) =>
    createApp({
      ...shared,
      limiter,
      store,
      usage,
      backend: createSimulatedModel({ clock: systemClock, delay: timerDelay, latencyMs, nodeId }),
      tokens: createTokenCounter(),
      secrets: randomSecrets,
      clock: systemClock,
      caches: lruCaches,
      settings: { ...httpSettings(settings, version, { streamIntervalMs: null }), adminToken, viewerToken },
      assets,
    })
  return { limiter, appFor }
}
