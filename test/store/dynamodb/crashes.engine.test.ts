import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AdminStore } from '../../../src/core/ports/admin-store.ts'
import { createDynamoAdminStore } from '../../../src/store/dynamodb/admin/admin-store.ts'
import { createTestClient, startTestTable, type TestTable, testClock } from '../../engine/test-table.ts'
import { aKey, anAudit, anEntity, fresh, ofEntity, RPM } from '../store-fixtures.ts'

const WRITES = new Set(['PutItemCommand', 'UpdateItemCommand', 'DeleteItemCommand'])

let table: TestTable
let store: AdminStore
beforeAll(async () => {
  table = await startTestTable()
  store = createDynamoAdminStore(table.client, table.tableName, testClock)
})
afterAll(() => table.close())

/** What a process does that dies after `writes` writes; says whether it came to its end. */
const dyingAfter = async (
  writes: number,
  work: (store: AdminStore) => Promise<unknown>,
): Promise<boolean> => {
  const client = createTestClient(table.endpoint)
  let left = writes
  await client.run(async (sdk) =>
    sdk.middlewareStack.add(
      (next, context) => async (args) => {
        if (WRITES.has(context.commandName ?? '')) left -= 1
        if (left < 0) throw Object.assign(new Error('died'), { code: 'ECONNREFUSED' })
        return next(args)
      },
      { step: 'initialize' },
    ),
  )
  try {
    await work(createDynamoAdminStore(client, table.tableName, testClock))
    return true
  } catch {
    return false
  } finally {
    client.close()
  }
}

/** Runs `check` for a death after every number of writes, until the work comes to its end. */
const atEveryDeath = async (
  work: () => Promise<{ run(store: AdminStore): Promise<unknown>; check(): Promise<void> }>,
): Promise<void> => {
  let isDone = false
  let deaths = 0
  for (let writes = 0; !isDone && writes < 30; writes += 1) {
    const { run, check } = await work()
    isDone = await dyingAfter(writes, run)
    if (!isDone) deaths += 1
    await check()
  }
  expect(isDone).toBe(true)
  // else nothing was tried: the engine has transactions, or the work is but one write
  expect(deaths).toBeGreaterThan(process.env.TEST_DYNAMODB_ENDPOINT === undefined ? 1 : -1)
}

const opensOnlyWhatIsListed = async (entityId: string, hashes: readonly string[]): Promise<void> => {
  const listed = (await store.listKeys(entityId)).map(({ keyId }) => keyId)
  for (const hash of hashes) {
    const key = await store.apiKey(hash)
    if (key !== undefined) expect(listed).toContain(key.keyId)
  }
}

describe('a process that dies between two writes, on an engine without transactions', () => {
  test('leaves no entity that its parent does not know, and no child that is not there', async () => {
    await atEveryDeath(async () => {
      const parent = anEntity({ id: fresh('parent') })
      await store.createEntity(parent, anAudit())
      const child = anEntity({ id: fresh('child'), parentId: parent.id })
      return {
        run: (dying) => dying.createEntity(child, anAudit()),
        async check() {
          const made = (await store.entity(child.id)) === undefined ? [] : [child.id]
          expect(await store.children(parent.id)).toEqual(made)
          expect(await store.createEntity(child, anAudit())).toBe(made.length > 0 ? 'exists' : 'created')
          expect(await store.children(parent.id)).toEqual([child.id])
        },
      }
    })
  })

  test('leaves a moved entity below one parent: the old one or the new', async () => {
    await atEveryDeath(async () => {
      const [from, to] = [anEntity({ id: fresh('from') }), anEntity({ id: fresh('to') })]
      for (const parent of [from, to]) await store.createEntity(parent, anAudit())
      const child = anEntity({ id: fresh('child'), parentId: from.id })
      await store.createEntity(child, anAudit())
      const moved = { ...child, parentId: to.id, version: child.version + 1n }
      return {
        run: (dying) => dying.replaceEntity(moved, child.version, anAudit()),
        async check() {
          const stored = await store.entity(child.id)
          expect(await store.children(from.id)).toEqual(stored?.parentId === from.id ? [child.id] : [])
          expect(await store.children(to.id)).toEqual(stored?.parentId === to.id ? [child.id] : [])
        },
      }
    })
  })

  test('leaves no usable key that cannot be listed and revoked', async () => {
    await atEveryDeath(async () => {
      const key = aKey({ keyId: fresh('key'), entityId: fresh('owner') })
      const hash = fresh('hash')
      return {
        run: (dying) => dying.putKey(key, hash, anAudit()),
        async check() {
          await opensOnlyWhatIsListed(key.entityId, [hash])
          if ((await store.listKeys(key.entityId)).length === 0) return
          expect(await store.updateKey({ ...key, status: 'revoked' }, anAudit())).toBe('updated')
          expect(await store.apiKey(hash)).toMatchObject({ status: 'revoked' })
        },
      }
    })
  })

  test('leaves a rotated key with its successor, or as it was', async () => {
    await atEveryDeath(async () => {
      const key = aKey({ keyId: fresh('key'), entityId: fresh('owner') })
      const [hash, next] = [fresh('hash'), fresh('hash')]
      await store.putKey(key, hash, anAudit())
      const replacement = { key: aKey({ keyId: fresh('key'), entityId: key.entityId }), secretHash: next }
      return {
        run: (dying) => dying.updateKey({ ...key, status: 'revoked' }, anAudit(), replacement),
        async check() {
          await opensOnlyWhatIsListed(key.entityId, [hash, next])
          const [old, successor] = [await store.apiKey(hash), await store.apiKey(next)]
          expect(old?.status === 'active' || successor?.status === 'active').toBe(true)
        },
      }
    })
  })

  test('leaves an entity that is being deleted without strays, and the next deletion ends it', async () => {
    await atEveryDeath(async () => {
      const parent = anEntity({ id: fresh('parent') })
      await store.createEntity(parent, anAudit())
      const entity = anEntity({ id: fresh('leaving'), parentId: parent.id })
      await store.createEntity(entity, anAudit())
      const hash = fresh('hash')
      await store.putKey(aKey({ keyId: 'k', entityId: entity.id }), hash, anAudit())
      await store.putLimitSet(ofEntity(entity.id, 'gpt-4'), { limits: [RPM], version: 1n }, null, anAudit())
      return {
        run: (dying) => dying.deleteEntity(entity, anAudit()),
        async check() {
          await opensOnlyWhatIsListed(entity.id, [hash])
          const left = (await store.entity(entity.id)) === undefined ? [] : [entity.id]
          expect(await store.children(parent.id)).toEqual(left)
          expect(await store.deleteEntity(entity, anAudit())).toBe(left.length > 0 ? 'deleted' : 'missing')
          expect(await store.apiKey(hash)).toBeUndefined()
          expect(await store.deleteEntity(parent, anAudit())).toBe('deleted')
        },
      }
    })
  })
})

describe('two at once', () => {
  test('creates no child below an entity that is being deleted', async () => {
    const parent = anEntity({ id: fresh('parent') })
    await store.createEntity(parent, anAudit())
    // one write: it is marked, and still there
    await dyingAfter(1, (dying) => dying.deleteEntity(parent, anAudit()))
    const child = anEntity({ id: fresh('child'), parentId: parent.id })
    expect(await store.createEntity(child, anAudit())).toBe('parent_missing')
    const other = anEntity({ id: fresh('other') })
    await store.createEntity(other, anAudit())
    const moved = { ...other, parentId: parent.id, version: other.version + 1n }
    expect(await store.replaceEntity(moved, other.version, anAudit())).toBe('parent_missing')
    expect(await store.entity(child.id)).toBeUndefined()
  })

  test('never leave a child below a parent that is gone', async () => {
    for (let round = 0; round < 15; round += 1) {
      const parent = anEntity({ id: fresh('parent') })
      await store.createEntity(parent, anAudit())
      const child = anEntity({ id: fresh('child'), parentId: parent.id })
      const [made, deleted] = await Promise.all([
        store.createEntity(child, anAudit()),
        store.deleteEntity(parent, anAudit()),
      ])
      // both may be refused, where they met
      const there = [await store.entity(child.id), await store.entity(parent.id)].map(
        (each) => each !== undefined,
      )
      expect(there).toEqual([made === 'created', deleted === 'has_children'])
      expect([made, deleted]).not.toEqual(['created', 'deleted'])
    }
  })
})
