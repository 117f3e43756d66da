import { allowedResponse, deniedResponse } from '../../../src/contract/checks.ts'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import type { BucketItem } from '../../../src/core/bucket/write.ts'
import { asDescribed } from '../as-described.ts'
import { createTestApp, type TestApp, type TestAppOptions, type TestResponse } from '../test-app.ts'

type Headers = Readonly<Record<string, string>>

export const BOB: Headers = { 'x-api-key': 'the-secret-of-key-bob' }

export const ALICE: Headers = { 'x-api-key': 'the-secret-of-key-alice' }

export const ADMIN_FOR_BOB: Headers = { authorization: 'Bearer the-admin-token', 'x-zael-entity': 'key-bob' }

export interface CheckingApp extends TestApp {
  check(body: unknown, headers?: Headers): Promise<TestResponse>
  /** A check that passes, matching its description. */
  passes(body: unknown, headers?: Headers): Promise<ReturnType<typeof allowed>>
  end(how: 'settle' | 'release' | 'extend', body: unknown, headers?: Headers): Promise<TestResponse>
  /** What key-bob has available of a limit. */
  left(name: string, resource?: string): Promise<number | undefined>
  /** The stored bucket of key-bob, with all counters. */
  stored(resource?: string): Promise<BucketItem>
}

export const allowed = (sent: TestResponse) => asDescribed(sent, allowedResponse)

export const denied = (sent: TestResponse) => asDescribed(sent, deniedResponse, 429)

const PER_HOUR = 1 / 3600

/** key-bob and key-alice below proj-demo: 10 requests and 1000 tokens each, which refill slowly. */
export const createCheckingApp = async (options: TestAppOptions = {}): Promise<CheckingApp> => {
  const app = checkingOn(createTestApp(options))
  if (options.table?.store !== undefined) return app
  await made(app, 'POST', '/api/entities', { entity_id: 'proj-demo', name: 'Demo' })
  for (const id of ['key-bob', 'key-alice']) {
    await made(app, 'POST', '/api/entities', { entity_id: id, name: id, parent_id: 'proj-demo' })
    await made(app, 'POST', `/api/entities/${id}/keys`, { secret: `the-secret-of-${id}` })
    await made(app, 'PUT', `/api/limits/${id}`, {
      limits: [
        { name: 'rpm', capacity: 10, refill_rate: PER_HOUR },
        { name: 'tpm', capacity: 1000, refill_rate: PER_HOUR },
      ],
    })
  }
  for (const model of ['gpt-4', 'tiny-model']) await made(app, 'PUT', `/api/models/${model}`, {})
  return app
}

const made = async ({ send }: TestApp, method: string, path: string, body: object): Promise<void> => {
  const { status, body: response } = await send(method, path, { body })
  if (status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(response)}`)
}

const checkingOn = (app: TestApp): CheckingApp => {
  const check: CheckingApp['check'] = (body, headers = BOB) =>
    app.send('POST', '/v1/limits/check', { headers, body })
  return {
    ...app,
    check,
    passes: async (body, headers) => allowed(await check(body, headers)),
    end: (how, body, headers = BOB) => app.send('POST', `/v1/limits/${how}`, { headers, body }),
    async left(name, resource = '_default_') {
      const { limits } = await app.deps.limiter.status('key-bob', resource)
      return limits.find(({ limit }) => limit.name === name)?.available
    },
    async stored(resource = '_default_') {
      await app.deps.limiter.flush({ all: true })
      return (await app.table.buckets.read(entityBucket('key-bob', resource))) ?? {}
    },
  }
}
