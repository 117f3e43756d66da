import { afterEach, beforeEach, expect, test } from 'vitest'
import { demoData } from '../../seed/demo-data.ts'
import { loadDemoData } from '../../seed/load-demo-data.ts'
import { limitToJson } from '../../src/core/model/json.ts'
import { policyLabel } from '../../src/core/model/policy.ts'
import type { AdminStore } from '../../src/core/ports/admin-store.ts'
import { systemClock } from '../../src/platform/runtime.ts'
import { randomSecrets } from '../../src/platform/secrets.ts'
import { createDynamoAdminStore } from '../../src/store/dynamodb/admin/admin-store.ts'
import { startTestTable, type TestTable } from '../engine/test-table.ts'

let table: TestTable
let store: AdminStore

beforeEach(async () => {
  table = await startTestTable()
  store = createDynamoAdminStore(table.client, table.tableName, systemClock)
})

afterEach(() => table.close())

const load = () => loadDemoData({ store, clock: systemClock, secrets: randomSecrets }, demoData)

const limitsOf = async (id: string) => {
  const [set] = await store.limitSets([{ owner: { kind: 'entity', id }, resource: '_default_' }])
  return set?.limits
    .map(limitToJson)
    .map((limit) => [
      limit.name,
      limit.meter,
      limit.capacity,
      'refill_rate' in limit ? limit.refill_rate : undefined,
    ])
}

test('the seed contains the demo entities with their limits, models and roles', async () => {
  await load()
  expect(await store.children('proj-demo')).toEqual(['key-alice', 'key-bob', 'key-charlie'])
  expect(await limitsOf('proj-demo')).toEqual([
    ['rpm', 'requests', 50, 50 / 60],
    ['tpm', 'tokens', 10_000, 10_000 / 60],
  ])
  expect(await limitsOf('key-alice')).toEqual([
    ['rpm', 'requests', 30, 0.5],
    ['tpm', 'tokens', 3000, 50],
  ])
  expect(await limitsOf('key-bob')).toMatchObject([{ 2: 10 }, { 2: 1000 }])
  expect(await limitsOf('key-charlie')).toMatchObject([{ 2: 20 }, { 2: 2000 }])
  expect(await store.entity('free-co-key')).toMatchObject({ parentId: 'free_co' })
  expect(await store.entity('enterprise_co')).toMatchObject({ kind: 'tenant', parentId: null })
  const models = await store.listModels()
  // a model without prices costs nothing, and no budget could ever deny it
  expect(models.filter(({ prices }) => (prices?.outputPerMillion ?? 0) <= 0)).toEqual([])
  const tiers = models.map(({ id, tier }) => `${id} ${tier}`).toSorted()
  expect(tiers).toEqual([
    'gpt-3.5-turbo standard',
    'gpt-4 premium',
    'gpt-4o premium',
    'gpt-4o-mini standard',
    'tiny-model free',
  ])
  const [admin] = await store.limitSets([{ owner: { kind: 'role', role: 'admin' }, resource: '_default_' }])
  expect(admin?.limits.map((limit) => limitToJson(limit).capacity)).toEqual([500, 100_000])
})

test('the seed contains the demo policies', async () => {
  await load()
  const { items } = await store.listPolicies({ limit: 100 })
  const sizes = items.map(({ key, limits }) => [
    policyLabel(key),
    ...limits.map(({ meter, size }) => [meter, size]),
  ])
  const perHour = (limit: number) => [
    'requests',
    { algorithm: 'sliding_window', limit, windowSeconds: 3600, slots: 30 },
  ]
  expect(sizes).toEqual([
    ['API_KEY free-co-key', perHour(20)],
    ['GLOBAL *', perHour(1_000_000)],
    ['MODEL_TIER free', perHour(10)],
    ['MODEL_TIER premium', perHour(1000)],
    ['MODEL_TIER standard', perHour(100)],
    ['TENANT enterprise_co', perHour(500)],
    ['TENANT free_co', perHour(50)],
    ['USER_MODEL ent-user-2:gpt-4o', perHour(10)],
  ])
})

test('the seed creates keys whose secrets are the ids of their entities', async () => {
  await load()
  expect(await store.apiKey(randomSecrets.hash('key-bob'))).toMatchObject({
    entityId: 'key-bob',
    status: 'active',
  })
  expect(await store.apiKey(randomSecrets.hash('proj-demo'))).toBeUndefined()
})

test('the seed creates nothing twice, and leaves changed items unchanged', async () => {
  const { made } = await load()
  expect(made).toBe(26 + 8)
  const key = { owner: { kind: 'entity', id: 'key-bob' }, resource: '_default_' } as const
  const [before] = await store.limitSets([key])
  const audit = { id: 'a', at: 1n, actor: 'test', action: 'x', subject: 'key-bob', before: null, after: null }
  const version = (before?.version ?? 0n) + 1n
  await store.putLimitSet(key, { limits: [], version }, before?.version ?? null, audit)
  expect(await load()).toEqual({ made: 0 })
  expect(await limitsOf('key-bob')).toEqual([])
  expect(await store.listKeys('key-bob')).toHaveLength(1)
})

test('a second run loads the rest after an interrupted one', async () => {
  const half = { ...demoData, keysOf: [], limits: demoData.limits.slice(0, 2) }
  await loadDemoData({ store, clock: systemClock, secrets: randomSecrets }, half)
  expect(await load()).toEqual({ made: 4 + 5 + 8 })
})
