import type { Hono } from 'hono'
import { bundleDashboard } from '../../lib/bundle-dashboard.ts'
import { parseLimits } from '../../src/contract/limits.ts'
import type { OnConfigChange } from '../../src/core/admin/audit.ts'
import type { BucketStore } from '../../src/core/bucket/bucket-store.ts'
import type { ReservationStore } from '../../src/core/charge/reservation-store.ts'
import { createLimiter, type LimiterSettings } from '../../src/core/decide/limiter.ts'
import type { TokenIssuer } from '../../src/core/model/token-issuer.ts'
import type { UsageReader } from '../../src/core/model/usage.ts'
import type { AdminStore } from '../../src/core/ports/admin-store.ts'
import type { AlertEventStore } from '../../src/core/ports/alert-store.ts'
import type { IdempotencyStore } from '../../src/core/ports/idempotency-store.ts'
import type { ModelBackend } from '../../src/core/ports/model-backend.ts'
import { type CacheFactory, type Logger, noMetrics, silentLogger } from '../../src/core/ports/platform.ts'
import { createTokenEntities, withFoundTokenEntities } from '../../src/core/ports/token-entities.ts'
import { createApi } from '../../src/http/app.ts'
import type { AppDependencies, AppEnv, HttpSettings } from '../../src/http/app-dependencies.ts'
import type { HotRoutes } from '../../src/http/hot-route.ts'
import { createPackageAssets } from '../../src/http/pages/package-assets.ts'
import { createTokenVerifier } from '../../src/platform/jwt/token-verifier.ts'
import { lruCaches, sha256 } from '../../src/platform/runtime.ts'
import { randomSecrets } from '../../src/platform/secrets.ts'
import { createMemoryBucketStore } from '../../src/store/memory/bucket-store.ts'
import { createTestClock, type TestClock } from '../core/test-clock.ts'
import { createMemoryAlertEventStore } from '../support/memory-alert-event-store.ts'
import {
  createMemoryIdempotencyStore,
  createMemoryReservationStore,
  createMemoryResponseStore,
} from '../support/memory-request-stores.ts'
import { createTestAdminStore, type TestAdminStore } from './test-admin-store.ts'

export const TEST_SETTINGS: HttpSettings = {
  adminToken: 'the-admin-token',
  viewerToken: 'the-viewer-token',
  nodeId: null,
  version: '1.2.3',
  defaultModel: 'gpt-4',
  errorFormat: 'openai',
  maxBodyBytes: 1_048_576,
  maxModelBodyBytes: 33_554_432,
  maxRetrySeconds: 60,
  corsOrigins: [],
  trustedProxies: 0,
  rateLimitingEnabled: true,
  bypassLimiter: false,
  defaultRpmLimit: 60,
  defaultTpmLimit: 10_000,
  windowSeconds: 60,
  configCacheMs: 30_000,
  streamIntervalMs: 5,
  isLocalOnly: false,
}

export const ADMIN = { authorization: 'Bearer the-admin-token' }
export const VIEWER = { authorization: 'Bearer the-viewer-token' }

export interface TestResponse {
  readonly status: number
  readonly headers: Headers
  /** The parsed JSON; undefined if the body is empty. */
  readonly body: unknown
}

/** The state shared by several nodes. */
export interface SharedTable {
  readonly store: TestAdminStore
  readonly buckets: BucketStore
  readonly reservations: ReservationStore
  readonly idempotency: IdempotencyStore
  readonly alertEvents: AlertEventStore
  readonly clock: TestClock
}

export interface TestApp {
  readonly table: SharedTable
  readonly app: Hono<AppEnv>
  readonly hot: HotRoutes
  readonly deps: AppDependencies
  readonly store: TestAdminStore
  readonly buckets: BucketStore
  readonly clock: TestClock
  /** One request, by the admin unless `headers` override it; `body` is sent as JSON. */
  send(method: string, path: string, options?: SendOptions): Promise<TestResponse>
}

export interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** The platform's environment: see `clientIp`. */
  readonly env?: object
}

export interface TestAppOptions {
  readonly settings?: Partial<HttpSettings>
  readonly limiter?: Partial<LimiterSettings>
  /** The table of another node to share, or failing parts of one. */
  readonly table?: Partial<SharedTable>
  /** By default none: every credential is a key. */
  readonly issuers?: readonly TokenIssuer[]
  readonly usage?: UsageReader
  readonly logger?: Logger
  readonly metricsText?: () => Promise<string>
  readonly checkHealth?: () => Promise<void>
  readonly onChange?: OnConfigChange
  /** By default, every target of an alert can be reached. */
  readonly checkAlertTarget?: AppDependencies['checkAlertTarget']
  /** By default there is none. */
  readonly backend?: ModelBackend
  /** By default, every secret can be read and no upstream has failed. */
  readonly upstreams?: Partial<
    Pick<AppDependencies, 'secretReader' | 'upstreamStates' | 'environmentUpstream' | 'processRegion'>
  >
}

export const createTestApp = (options: TestAppOptions = {}): TestApp => {
  const { settings, usage = { usage: async () => [] }, logger = silentLogger } = options
  const table = createTestTable(options.table)
  const { buckets, clock, reservations, idempotency, alertEvents } = table
  const tokens = options.issuers && testTokens(options.issuers, clock, logger)
  const store = tokens ? withFoundTokenEntities(table.store, tokens.entities) : table.store
  const deps: AppDependencies = {
    limiter: testLimiter({ ...table, store }, settings, options.limiter),
    store,
    tokens,
    checkHealth: options.checkHealth ?? (async () => void (await store.entity('any'))),
    reservations,
    idempotency,
    responses: createMemoryResponseStore(),
    usage,
    alertEvents,
    checkAlertTarget: options.checkAlertTarget ?? (async () => undefined),
    backend: options.backend ?? {
      estimate: unexpectedCall,
      paceOf: unexpectedCall,
      call: unexpectedCall,
    },
    secretReader: { read: async () => 'sk-of-a-provider' },
    upstreamStates: { upstreamStates: () => [] },
    environmentUpstream: null,
    processRegion: 'eu-central-1',
    secrets: randomSecrets,
    clock,
    logger,
    metrics: noMetrics,
    caches: smallCaches,
    settings: { ...TEST_SETTINGS, ...settings },
    assets: createPackageAssets('1.2.3', bundleDashboard),
    ...(options.metricsText !== undefined && { metricsText: options.metricsText }),
    ...(options.onChange !== undefined && { onChange: options.onChange }),
    ...options.upstreams,
  }
  const { app, hot } = createApi(deps)
  const send: TestApp['send'] = async (method, path, { headers = ADMIN, body, env } = {}) => {
    const json = body === undefined ? {} : { body: JSON.stringify(body) }
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    const response = await app.request(path, { method, headers: { ...type, ...headers }, ...json }, env)
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : parsed(text),
    }
  }
  return { app, hot, deps, table, store: table.store, buckets, clock, send }
}

const testTokens = (issuers: readonly TokenIssuer[], clock: TestClock, logger: Logger) => {
  const names = issuers.map(({ name }) => name)
  return {
    verifier: createTokenVerifier({ issuers, clock, caches: smallCaches, logger }),
    entities: createTokenEntities(names, smallCaches),
  }
}

/** large documents take longer to build than a test to run */
const smallCaches: CacheFactory = () => lruCaches({ max: 100 })

const createTestTable = (shared: Partial<SharedTable> = {}): SharedTable => ({
  store: createTestAdminStore(),
  buckets: createMemoryBucketStore(),
  reservations: createMemoryReservationStore(),
  idempotency: createMemoryIdempotencyStore(),
  alertEvents: createMemoryAlertEventStore(),
  clock: createTestClock(),
  ...shared,
})

let limiters = 0

const testLimiter = (
  { store, buckets, clock }: Omit<SharedTable, 'store'> & { readonly store: AdminStore },
  settings: Partial<HttpSettings> = {},
  limiterSettings: Partial<LimiterSettings> = {},
) =>
  createLimiter({
    buckets,
    localBuckets: createMemoryBucketStore(),
    config: store,
    clock,
    logger: silentLogger,
    metrics: noMetrics,
    newCache: smallCaches,
    pause: async () => {},
    slotPrefix: `app${++limiters}-`,
    hash: sha256,
    settings: {
      isEnabled: settings.rateLimitingEnabled ?? true,
      defaultLimits: parseLimits(
        [
          { name: 'rpm', capacity: 60, refill_rate: 1 },
          { name: 'tpm', capacity: 10_000, refill_rate: 10_000 / 60 },
        ],
        'defaults',
      ),
      ...limiterSettings,
    },
  })

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const unexpectedCall = (): never => {
  throw new Error('must not be called here')
}
