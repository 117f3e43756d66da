import type * as v from 'valibot'
import { demoData } from '../../../seed/demo-data.ts'
import { loadDemoData } from '../../../seed/load-demo-data.ts'
import { policyCheckResponse } from '../../../src/contract/policies.ts'
import type { BucketStore } from '../../../src/core/bucket/bucket-store.ts'
import { createLimiter, type LimiterSettings } from '../../../src/core/decide/limiter.ts'
import type { AdminStore } from '../../../src/core/ports/admin-store.ts'
import type { Clock } from '../../../src/core/ports/platform.ts'
import { createApi } from '../../../src/http/app.ts'
import type { HttpSettings } from '../../../src/http/app-dependencies.ts'
import { sha256 } from '../../../src/platform/runtime.ts'
import { createMemoryBucketStore } from '../../../src/store/memory/bucket-store.ts'
import { createTestClock, type TestClock } from '../../core/test-clock.ts'
import { asDescribed } from '../as-described.ts'
import { fakeBackend } from '../model-routes/fake-backend.ts'
import { createTestAdminStore, type TestAdminStore } from '../test-admin-store.ts'
import { createTestApp, type SendOptions, TEST_SETTINGS, type TestResponse } from '../test-app.ts'

export type PolicyCheck = v.InferOutput<typeof policyCheckResponse>

export interface CheckBody {
  readonly userId?: string
  readonly sessionId?: string | null
  readonly modelId?: string
  readonly tenantId?: string
  readonly modelTier?: string | null
  readonly apiKey?: string | null
}

/** The real app on the demo data. */
export interface PolicyWorld {
  send(method: string, path: string, options?: SendOptions): Promise<TestResponse>
  /** The result of `POST /rate-limit/check`, matching its description. */
  check(body: CheckBody): Promise<PolicyCheck>
  /** The given number of checks, one after the other. */
  checks(times: number, body: CheckBody): Promise<readonly PolicyCheck[]>
}

export interface PolicyWorldParts {
  readonly store: AdminStore
  readonly buckets: BucketStore
  readonly clock: Clock
  readonly settings?: Partial<HttpSettings>
  readonly limiterSettings?: Partial<LimiterSettings>
}

export const createPolicyWorld = async (parts: PolicyWorldParts): Promise<PolicyWorld> => {
  const { store, buckets, clock } = parts
  const { deps } = createTestApp()
  await loadDemoData({ store, clock, secrets: deps.secrets }, demoData)
  const limiter = createLimiter({
    ...deps,
    config: store,
    buckets,
    clock,
    localBuckets: createMemoryBucketStore(),
    newCache: deps.caches,
    pause: async () => {},
    slotPrefix: 'slot-',
    hash: sha256,
    settings: { storeDeadlineMs: 10_000, ...parts.limiterSettings },
  })
  const backend = fakeBackend({ inputTokens: 5 })
  const settings = { ...TEST_SETTINGS, ...parts.settings }
  const { app } = createApi({ ...deps, store, limiter, clock, backend, settings })

  const send: PolicyWorld['send'] = async (method, path, { headers, body } = {}) => {
    const response = await app.request(path, {
      method,
      headers: { 'content-type': 'application/json', authorization: 'Bearer the-admin-token', ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : JSON.parse(text),
    }
  }
  const check = async (body: CheckBody) =>
    asDescribed(await send('POST', '/rate-limit/check', { body }), policyCheckResponse)
  return {
    send,
    check,
    async checks(times, body) {
      const responses: PolicyCheck[] = []
      for (let left = times; left > 0; left--) responses.push(await check(body))
      return responses
    },
  }
}

/** A world in memory, with a clock moved by the test and a store that can be made unavailable. */
export const createMemoryWorld = async (
  options: Pick<PolicyWorldParts, 'settings' | 'limiterSettings'> = {},
): Promise<PolicyWorld & { readonly clock: TestClock; readonly store: TestAdminStore }> => {
  const [clock, store] = [createTestClock(), createTestAdminStore()]
  const world = await createPolicyWorld({ ...options, store, clock, buckets: createMemoryBucketStore() })
  return { ...world, clock, store }
}
