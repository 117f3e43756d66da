import { PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import { set } from '../../../src/core/bucket/write.ts'
import type { AdminStore } from '../../../src/core/ports/admin-store.ts'
import { createDynamoAdminStore } from '../../../src/store/dynamodb/admin/admin-store.ts'
import { type StoredItem, toItem } from '../../../src/store/dynamodb/attributes.ts'
import { createDynamoBucketStore } from '../../../src/store/dynamodb/bucket-store.ts'
import { createDynamoUsageStore } from '../../../src/store/dynamodb/usage-store.ts'
import { startTestTable, type TestTable } from '../../engine/test-table.ts'
import { aKey, aModel, anAudit, anEntity, BUDGET, ofEntity, RPM, TODAY } from '../store-fixtures.ts'

let table: TestTable
let store: AdminStore
beforeAll(async () => {
  table = await startTestTable()
  store = createDynamoAdminStore(table.client, table.tableName, { now: () => TODAY, monotonic: () => 0n })
})
afterAll(() => table.close())

const scan = async (
  input: { readonly IndexName?: string } = {},
): Promise<ReadonlyMap<string, StoredItem>> => {
  const { Items = [] } = await table.client.run((sdk) =>
    sdk.send(new ScanCommand({ TableName: table.tableName, ...input })),
  )
  return new Map(Items.map((item) => [`${item.PK?.S} ${item.SK?.S}`, item]))
}
const put = (fields: Parameters<typeof toItem>[0]): Promise<unknown> =>
  table.client.run((sdk) =>
    sdk.send(new PutItemCommand({ TableName: table.tableName, Item: toItem(fields) })),
  )

describe('the table, as the aws CLI shows it', () => {
  test('names everything in full', async () => {
    const audit = anAudit({ id: 'audit-x', subject: 'key-bob', before: null, after: { name: 'Bob' } })
    await store.createEntity(anEntity({ id: 'proj-demo' }), anAudit({ id: 'audit-0', subject: 'proj-demo' }))
    const bob = anEntity({
      id: 'key-bob',
      name: 'Bob',
      parentId: 'proj-demo',
      models: ['gpt-4'],
      metadata: { a: 'b' },
    })
    await store.createEntity(bob, audit)
    await store.putKey(aKey({ keyId: 'k1', entityId: 'key-bob', expiresAt: TODAY }), 'f00d', anAudit())
    await store.putModel(aModel({ id: 'gpt-4', tier: 'premium' }), anAudit())
    await store.putLimitSet(
      ofEntity('key-bob', '_default_'),
      { limits: [RPM, BUDGET], version: 5n },
      null,
      anAudit(),
    )
    const role = { owner: { kind: 'role', role: 'user' }, resource: 'gpt-4' } as const
    await store.putLimitSet(role, { limits: [], version: 1n }, null, anAudit())
    await store.putLimitSet(
      { owner: { kind: 'system' }, resource: 'gpt-4' },
      { limits: [], version: 1n },
      null,
      anAudit(),
    )

    const items = await scan()
    expect(items.get('ENTITY#key-bob META')).toEqual({
      PK: { S: 'ENTITY#key-bob' },
      SK: { S: 'META' },
      GSI1PK: { S: 'ENTITIES' },
      GSI1SK: { S: 'key-bob' },
      name: { S: 'Bob' },
      kind: { S: 'user' },
      parent_id: { S: 'proj-demo' },
      cascade: { BOOL: true },
      priority: { S: 'normal' },
      models: { L: [{ S: 'gpt-4' }] },
      disabled: { BOOL: false },
      bypass: { BOOL: false },
      metadata: { M: { a: { S: 'b' } } },
      created_at: { S: '2026-09-21T14:13:20.123456789Z' },
      version: { N: String(TODAY) },
    })
    expect(items.get('ENTITY#proj-demo CHILD#key-bob')).toEqual({
      PK: { S: 'ENTITY#proj-demo' },
      SK: { S: 'CHILD#key-bob' },
    })
    expect(items.get('ENTITY#key-bob LIMITS#_default_')).toMatchObject({
      version: { N: '5' },
      limits: {
        L: [
          {
            M: {
              name: { S: 'rpm' },
              meter: { S: 'requests' },
              algorithm: { S: 'token_bucket' },
              capacity: { N: '1000' },
              refill_rate: { N: '16.666666666666668' },
            },
          },
          { M: { name: { S: 'budget' }, refund: { S: 'full' }, on_unavailable: { S: 'local' } } },
        ],
      },
    })
    const keyFields = {
      key_id: { S: 'k1' },
      entity_id: { S: 'key-bob' },
      prefix: { S: 'zael_abc' },
      status: { S: 'active' },
      expires_at: { S: '2026-09-21T14:13:20.000000000Z' },
    }
    expect(items.get('KEY#f00d META')).toMatchObject(keyFields)
    expect(items.get('ENTITY#key-bob KEY#k1')).toMatchObject(keyFields)
    expect(items.get('MODEL#gpt-4 META')).toMatchObject({ GSI1PK: { S: 'MODELS' }, tier: { S: 'premium' } })
    expect(items.has('ROLE#user LIMITS#gpt-4')).toBe(true)
    expect(items.has('SYSTEM LIMITS#gpt-4')).toBe(true)
    expect(items.get('AUDIT#2026-09-21 2026-09-21T14:13:20.000000000Z#audit-x')).toEqual({
      PK: { S: 'AUDIT#2026-09-21' },
      SK: { S: '2026-09-21T14:13:20.000000000Z#audit-x' },
      GSI1PK: { S: 'AUDIT#key-bob' },
      GSI1SK: { S: '2026-09-21T14:13:20.000000000Z' },
      id: { S: 'audit-x' },
      at: { S: '2026-09-21T14:13:20.000000000Z' },
      actor: { S: 'admin' },
      action: { S: 'entity.create' },
      subject: { S: 'key-bob' },
      before: { NULL: true },
      after: { M: { name: { S: 'Bob' } } },
    })
  })

  test('copies no bucket and no usage into the index', async () => {
    const buckets = createDynamoBucketStore(table.client, table.tableName)
    await buckets.write(entityBucket('key-bob', 'gpt-4'), { conditions: [], actions: [set('rpm_tat', 5n)] })
    const hour = { entityId: 'key-bob', resource: 'gpt-4', born: 1n, hourStart: 0, from: {}, to: {}, rev: 1n }
    await createDynamoUsageStore(table.client, table.tableName).record(hour)
    expect((await scan()).get('ENTITY#key-bob BUCKET#gpt-4')).toEqual({
      PK: { S: 'ENTITY#key-bob' },
      SK: { S: 'BUCKET#gpt-4' },
      rpm_tat: { N: '5' },
    })
    const indexed = [...(await scan({ IndexName: 'GSI1' })).keys()]
    expect(indexed.length).toBeGreaterThan(0)
    expect(indexed.filter((key) => !/ META$|^AUDIT#/.test(key))).toEqual([])
  })
})

describe('an item that somebody has broken by hand', () => {
  const broken = (PK: string, SK: string, attribute: string) => ({
    message: expect.stringMatching(new RegExp(`PK ${PK}, SK ${SK}.*${attribute}`)),
  })

  test('is named, with its attribute, in the error that reading it throws', async () => {
    await put({ PK: 'ENTITY#odd', SK: 'META', name: 'odd', kind: 'user', cascade: 'yes' })
    await expect(store.entity('odd')).rejects.toMatchObject(broken('ENTITY#odd', 'META', 'cascade'))
    await put({ PK: 'MODEL#odd', SK: 'META', created_at: 'yesterday' })
    await expect(store.model('odd')).rejects.toMatchObject(broken('MODEL#odd', 'META', 'created_at'))
    await put({
      PK: 'MODEL#odd',
      SK: 'META',
      created_at: '2026-01-01T00:00:00Z',
      prices: { input_per_million: 'x' },
    })
    await expect(store.model('odd')).rejects.toMatchObject(
      broken('MODEL#odd', 'META', 'prices.input_per_million'),
    )
    await put({
      PK: 'MODEL#odd',
      SK: 'META',
      created_at: '2026-01-01T00:00:00Z',
      upstreams: [{ upstream: 'a' }, { model: 'b' }],
    })
    await expect(store.model('odd')).rejects.toMatchObject(
      broken('MODEL#odd', 'META', 'upstreams\\[1\\].upstream'),
    )
    await put({ PK: 'MODEL#old', SK: 'META', created_at: '2026-01-01T00:00:00Z' })
    await expect(store.model('old')).resolves.toMatchObject({ upstreams: [], maxOutputTokens: 4096 })
    await put({ PK: 'UPSTREAM#odd', SK: 'META', kind: 'azure' })
    await expect(store.upstream('odd')).rejects.toMatchObject(broken('UPSTREAM#odd', 'META', 'kind'))
    await put({
      PK: 'KEY#0dd',
      SK: 'META',
      key_id: 'k',
      entity_id: 'odd',
      name: '',
      prefix: '',
      status: 'on',
    })
    await expect(store.apiKey('0dd')).rejects.toMatchObject(broken('KEY#0dd', 'META', 'status'))
  })

  test.each<[text: string, limits: Parameters<typeof toItem>[0][string], attribute: string]>([
    ['no list', 'rpm', 'limits'],
    ['a limit that is no map', ['rpm'], 'limits\\[0\\]'],
    ['a negative capacity', [{ name: 'rpm', capacity: -1, refill_rate: 1 }], 'limits\\[0\\].capacity'],
    ['an unknown field', [{ name: 'rpm', capacity: 1, refill_rate: 1, burst: 2 }], 'limits\\[0\\].burst'],
  ])('is no set of limits: %s', async (_, limits, attribute) => {
    await put({ PK: 'SYSTEM', SK: 'LIMITS#odd', limits, version: 1n })
    const read = store.limitSets([{ owner: { kind: 'system' }, resource: 'odd' }])
    await expect(read).rejects.toMatchObject(broken('SYSTEM', 'LIMITS#odd', attribute))
  })

  test.each<[text: string, fields: Parameters<typeof toItem>[0]]>([
    ['a fraction', { rpm_tat: 1.5 }],
    ['a flag', { rpm_tat: true }],
    ['a map that holds text', { rpm_tat: { a: 'b' } }],
  ])('is no bucket: %s', async (_, fields) => {
    await put({ PK: 'ENTITY#odd', SK: 'BUCKET#gpt-4', ...fields })
    const buckets = createDynamoBucketStore(table.client, table.tableName)
    const named = broken('ENTITY#odd', 'BUCKET#gpt-4', 'rpm_tat')
    await expect(buckets.read(entityBucket('odd', 'gpt-4'))).rejects.toMatchObject(named)
    await expect(buckets.list('odd')).rejects.toMatchObject(named)
  })
})
