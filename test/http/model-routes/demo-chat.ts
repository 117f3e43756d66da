import { EventEmitter } from 'node:events'
import { Hono } from 'hono'
import * as v from 'valibot'
import { openAiDenialResponse } from '../../../src/contract/errors.ts'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import type { BucketItem } from '../../../src/core/bucket/write.ts'
import { createLimiter } from '../../../src/core/decide/limiter.ts'
import { noMetrics, silentLogger } from '../../../src/core/ports/platform.ts'
import type { AppEnv } from '../../../src/http/app-dependencies.ts'
import { createErrorHandler } from '../../../src/http/errors/error-response.ts'
import {
  createModelApp,
  createModelHandlers,
  type ModelRoutesNeeds,
} from '../../../src/http/model-routes/routes.ts'
import { createModelLookup, type ModelLookupNeeds } from '../../../src/http/models/model-lookup.ts'
import {
  createModelRoutes as createListRoutes,
  type ModelRoutesNeeds as ListNeeds,
} from '../../../src/http/models/openai-models.ts'
import { lruCaches, sha256 } from '../../../src/platform/runtime.ts'
import { createMemoryBucketStore } from '../../../src/store/memory/bucket-store.ts'
import { createMemoryResponseStore } from '../../support/memory-request-stores.ts'
import { demoConfig, demoEntities } from './demo-config.ts'
import { fakeBackend } from './fake-backend.ts'

type Needs = ModelRoutesNeeds & ModelLookupNeeds & ListNeeds

export interface DemoChat {
  readonly app: Hono<AppEnv>
  advance(ms: number): void
  /** Called at each 429, after it is decided. */
  onDenied(listener: () => void): void
  /** A request with the key whose secret is its id. */
  send(key: string, body: Readonly<Record<string, unknown>>, init?: RequestInit): Promise<Response>
  /** The stored bucket of an entity on gpt-4, with all counters. */
  bucket(entityId: string): Promise<BucketItem | undefined>
}

type Overrides = Partial<Omit<Needs, 'settings'>> & {
  readonly settings?: Partial<Needs['settings']>
  /** Without leases, denials are not remembered. */
  readonly leaseTtlMs?: number
}

/** `/v1` on the demo project, with the real limiter on buckets in memory and a clock moved only by `advance`. */
export const createDemoChat = (overrides: Overrides = {}): DemoChat => {
  let now = 1_800_000_000_000_000_000n
  const clock = { now: () => now, monotonic: () => now }
  const buckets = createMemoryBucketStore()
  const settings = {
    bypassLimiter: false,
    configCacheMs: 30_000,
    defaultModel: 'gpt-4',
    errorFormat: 'openai' as const,
    maxRetrySeconds: 60,
    ...overrides.settings,
  }
  const limiter = createLimiter({
    buckets,
    localBuckets: createMemoryBucketStore(),
    config: demoConfig,
    clock,
    logger: silentLogger,
    metrics: noMetrics,
    newCache: lruCaches,
    pause: async () => {},
    slotPrefix: 'slot-',
    hash: sha256,
    settings: { useDelayMs: 0, leaseTtlMs: overrides.leaseTtlMs ?? 0 },
  })
  const backend = fakeBackend()
  const base = {
    limiter,
    backend,
    clock,
    caches: lruCaches,
    logger: silentLogger,
    store: demoConfig,
    responses: createMemoryResponseStore(),
  }
  const denials = new EventEmitter()
  const app = appOf({ ...base, ...overrides, settings }, () => denials.emit('denied'))
  return {
    app,
    advance(ms) {
      now += BigInt(ms) * 1_000_000n
    },
    onDenied: (listener) => denials.on('denied', listener),
    send: async (key, body, init = {}) =>
      app.request('/v1/chat/completions', {
        method: 'POST',
        body: JSON.stringify(body),
        ...init,
        headers: { 'content-type': 'application/json', 'x-api-key': key, ...init.headers },
      }),
    async bucket(entityId) {
      await limiter.flush({ all: true })
      return buckets.read(entityBucket(entityId, 'gpt-4'))
    },
  }
}

const SECRET = /^Bearer (.+)$/

const appOf = (deps: Needs, denied: () => void): Hono<AppEnv> => {
  const app = new Hono<AppEnv>()
  app.onError(createErrorHandler(deps))
  app.use(async (c, next) => {
    const id = c.req.header('x-api-key') ?? SECRET.exec(c.req.header('authorization') ?? '')?.[1] ?? 'key-bob'
    const entity = demoEntities.get(id)
    if (entity === undefined) throw new Error(`There is no demo key ${id}`)
    c.set('requestId', 'req_1')
    c.set('responseContext', {
      requestId: 'req_1',
      nodeId: null,
      crossOrigin: undefined,
      completed: undefined,
    })
    c.set('maxBodyBytes', 1_048_576)
    c.set('acting', { kind: 'caller', entityId: id, entity, organization: entity.parentId ?? id })
    await next()
    if (c.res.status === 429) denied()
  })
  const models = createModelLookup(deps)
  app.route('/v1', createModelApp(createModelHandlers(deps, models)))
  return app.route('/v1', createListRoutes(deps, models))
}

export const hello = (maxTokens?: number) => ({
  model: 'gpt-4',
  messages: [{ role: 'user', content: 'Hello, how are you?' }],
  ...(maxTokens !== undefined && { max_tokens: maxTokens }),
})

/** The body of a 429, checked against the API description. */
export const denialOf = async (response: Response) => v.parse(openAiDenialResponse, await response.json())
