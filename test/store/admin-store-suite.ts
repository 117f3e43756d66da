import { describe, expect, test } from 'vitest'
import type { Alert } from '../../src/core/model/alert.ts'
import type { Limit } from '../../src/core/model/limit.ts'
import { type LimitSetKey, type Policy, policyLimitSet } from '../../src/core/model/limit-set.ts'
import { type PolicyKey, type PolicyScope, policyKeyOf } from '../../src/core/model/policy.ts'
import type { Upstream } from '../../src/core/model/upstream.ts'
import type { AdminStore, Page } from '../../src/core/ports/admin-store.ts'
import { auditSuite } from './audit-suite.ts'
import {
  aKey,
  aModel,
  anAlert,
  anAudit,
  anEntity,
  anUpstream,
  BUDGET,
  fresh,
  ofEntity,
  RPM,
  TODAY,
  TOPIC,
} from './store-fixtures.ts'

/** What every admin store does. `store` is created before the first test; `TODAY` is the time of its clock. */
export const adminStoreSuite = (name: string, store: () => AdminStore): void => {
  describe(`${name} as an admin store`, () => {
    const create = async (fields: Parameters<typeof anEntity>[0]) => {
      const entity = anEntity(fields)
      expect(await store().createEntity(entity, anAudit({ subject: entity.id }))).toBe('created')
      return entity
    }
    const subjects = async (subject: string): Promise<readonly string[]> =>
      (await store().listAudit({ limit: 50, subject })).items.map(({ action }) => action)

    describe('entities', () => {
      test('returns every field that was put', async () => {
        const parent = await create({ id: fresh('org') })
        const plain = await create({ id: fresh('plain') })
        const full = await create({
          id: fresh('full:a.b_c@d-'),
          name: 'Ünï "quoted" 🙂',
          kind: 'tenant',
          parentId: parent.id,
          cascade: false,
          role: 'admin',
          priority: 'high',
          models: ['gpt-4', 'org/model'],
          disabled: true,
          bypass: true,
          metadata: { team: 'blue', empty: '' },
        })
        const closed = await create({ id: fresh('closed'), models: [] })
        expect(await store().entity(plain.id)).toEqual(plain)
        expect(await store().entity(full.id)).toEqual(full)
        expect(await store().entity(closed.id)).toEqual(closed)
        expect(await store().entity('nobody')).toBeUndefined()
      })

      test('makes an entity once', async () => {
        const entity = await create({ id: fresh('twice') })
        const other = anEntity({ id: entity.id, name: 'other' })
        const audit = anAudit({ subject: entity.id, action: 'refused' })
        expect(await store().createEntity(other, audit)).toBe('exists')
        expect(await store().entity(entity.id)).toEqual(entity)
        expect(await subjects(entity.id)).toEqual(['entity.create'])
      })

      test('makes one of many at once', async () => {
        const id = fresh('raced')
        const outcomes = await Promise.all(
          Array.from({ length: 5 }, () => store().createEntity(anEntity({ id }), anAudit({ subject: id }))),
        )
        expect(outcomes.toSorted()).toEqual(['created', 'exists', 'exists', 'exists', 'exists'])
      })

      test('puts nothing below a parent that is not there', async () => {
        const orphan = anEntity({ id: fresh('orphan'), parentId: fresh('nowhere') })
        expect(await store().createEntity(orphan, anAudit({ subject: orphan.id }))).toBe('parent_missing')
        expect(await store().entity(orphan.id)).toBeUndefined()
        expect(await subjects(orphan.id)).toEqual([])
      })

      test('reads many at once, in the order of the ids', async () => {
        const [a, b] = [await create({ id: fresh('first') }), await create({ id: fresh('second') })]
        expect(await store().entities([b.id, 'nobody', a.id, b.id])).toEqual([b, undefined, a, b])
        expect(await store().entities([])).toEqual([])
      })

      test('lists children in order, and not those that an attempt to make one twice named', async () => {
        const [parent, other] = [await create({ id: fresh('parent') }), await create({ id: fresh('parent') })]
        const b = await create({ id: `${parent.id}-b`, parentId: parent.id })
        const a = await create({ id: `${parent.id}-a`, parentId: parent.id })
        expect(await store().children(parent.id)).toEqual([a.id, b.id])
        await store().createEntity(anEntity({ id: a.id, parentId: other.id }), anAudit())
        expect(await store().children(other.id)).toEqual([])
        expect(await store().children(parent.id)).toEqual([a.id, b.id])
        expect(await store().children('nobody')).toEqual([])
      })

      test('replaces only the expected version of an entity', async () => {
        const before = await create({ id: fresh('changing') })
        const after = { ...before, name: 'after', role: 'user', version: before.version + 1n }
        expect(await store().replaceEntity(after, before.version, anAudit({ subject: before.id }))).toBe(
          'replaced',
        )
        expect(await store().entity(before.id)).toEqual(after)
        const late = { ...before, name: 'late', version: before.version + 2n }
        expect(await store().replaceEntity(late, before.version, anAudit({ subject: before.id }))).toBe(
          'changed',
        )
        expect(await store().entity(before.id)).toEqual(after)
        expect(await subjects(before.id)).toHaveLength(2)
      })

      test('replaces nothing that is not there', async () => {
        const gone = anEntity({ id: fresh('gone') })
        expect(await store().replaceEntity(gone, gone.version, anAudit())).toBe('changed')
        expect(await store().entity(gone.id)).toBeUndefined()
      })

      test('moves an entity to another parent, and to none', async () => {
        const [from, to] = [await create({ id: fresh('from') }), await create({ id: fresh('to') })]
        const child = await create({ id: fresh('child'), parentId: from.id })
        const moved = { ...child, parentId: to.id, version: child.version + 1n }
        expect(await store().replaceEntity(moved, child.version, anAudit())).toBe('replaced')
        expect(await store().children(from.id)).toEqual([])
        expect(await store().children(to.id)).toEqual([child.id])
        const freed = { ...child, parentId: null, version: child.version + 2n }
        expect(await store().replaceEntity(freed, moved.version, anAudit())).toBe('replaced')
        expect(await store().children(to.id)).toEqual([])
      })

      test('moves nothing below a parent that is not there', async () => {
        const child = await create({ id: fresh('child') })
        const moved = { ...child, parentId: fresh('nowhere'), version: child.version + 1n }
        expect(await store().replaceEntity(moved, child.version, anAudit())).toBe('parent_missing')
        expect(await store().entity(child.id)).toEqual(child)
      })

      test('deletes an entity once it has no children', async () => {
        const parent = await create({ id: fresh('parent') })
        const child = await create({ id: fresh('child'), parentId: parent.id })
        expect(await store().deleteEntity(parent, anAudit())).toBe('has_children')
        expect(await store().entity(parent.id)).toEqual(parent)
        const second = await create({ id: fresh('child'), parentId: parent.id })
        for (const each of [child, second])
          expect(await store().deleteEntity(each, anAudit())).toBe('deleted')
        expect(await store().children(parent.id)).toEqual([])
        const audit = anAudit({ subject: parent.id, action: 'entity.delete', at: TODAY + 1n })
        expect(await store().deleteEntity(parent, audit)).toBe('deleted')
        expect(await store().deleteEntity(parent, anAudit({ subject: parent.id }))).toBe('missing')
        expect(await store().entity(parent.id)).toBeUndefined()
        expect(await subjects(parent.id)).toEqual(['entity.delete', 'entity.create'])
      })

      test('deletes keys and limits with an entity, which can be created again', async () => {
        const entity = await create({ id: fresh('leaving') })
        const hash = fresh('hash')
        await store().putKey(aKey({ keyId: 'k1', entityId: entity.id }), hash, anAudit())
        const keys = ['_default_', 'gpt-4', 'gone'].map((resource) => ofEntity(entity.id, resource))
        for (const key of keys)
          await store().putLimitSet(key, { limits: [RPM], version: 5n }, null, anAudit())
        const goneKey = ofEntity(entity.id, 'gone')
        await store().putLimitSet(goneKey, { limits: [], version: 6n }, 5n, anAudit())
        expect(await store().deleteEntity(entity, anAudit({ at: TODAY + 9n }))).toBe('deleted')
        expect(await store().apiKey(hash)).toBeUndefined()
        expect(await store().listKeys(entity.id)).toEqual([])
        expect(await store().limitSets(keys)).toEqual([
          { limits: [], version: TODAY + 9n },
          { limits: [], version: TODAY + 9n },
          { limits: [], version: 6n },
        ])
        expect(await store().limitedResources({ kind: 'entity', id: entity.id })).toEqual([])
        await create({ id: entity.id })
      })

      test('deletes an entity with more items than one transaction accepts', async () => {
        const entity = await create({ id: fresh('rich') })
        const hashes = Array.from({ length: 60 }, () => fresh('hash'))
        for (const [index, hash] of hashes.entries())
          await store().putKey(aKey({ keyId: `k${index}`, entityId: entity.id }), hash, anAudit())
        expect(await store().listKeys(entity.id)).toHaveLength(60)
        expect(await store().deleteEntity(entity, anAudit())).toBe('deleted')
        expect(await store().listKeys(entity.id)).toEqual([])
        for (const hash of hashes) expect(await store().apiKey(hash)).toBeUndefined()
      })
    })

    describe('lists of entities', () => {
      const all = async (limit: number, q?: string) => {
        const pages: Page<{ readonly id: string }>[] = []
        let cursor: string | null = null
        do {
          const page = await store().listEntities({
            limit,
            ...(cursor !== null && { cursor }),
            ...(q !== undefined && { q }),
          })
          pages.push(page)
          cursor = page.nextCursor
        } while (cursor !== null)
        return pages
      }
      const idsOf = (pages: readonly Page<{ readonly id: string }>[]) =>
        pages.flatMap(({ items }) => items.map(({ id }) => id))

      test('pages through all by id, each once', async () => {
        for (let i = 0; i < 7; i += 1) await create({ id: fresh('paged') })
        const ids = idsOf(await all(1000))
        expect(ids).toEqual(ids.toSorted())
        expect(ids.length).toBeGreaterThanOrEqual(7)
        const pages = await all(3)
        expect(idsOf(pages)).toEqual(ids)
        expect(pages.slice(0, -1).every(({ items }) => items.length === 3)).toBe(true)
        expect(pages.at(-1)?.items.length).toBeGreaterThan(0)
      })

      test('ends without an empty page after a full last one', async () => {
        const { length } = idsOf(await all(1000))
        expect(await store().listEntities({ limit: length })).toMatchObject({ nextCursor: null })
      })

      test('returns entities whose id or name contains the search text', async () => {
        const word = fresh('needle')
        const byId = await create({ id: `a-${word}-x`, name: 'one' })
        const byName = await create({ id: fresh('b'), name: `The ${word.toUpperCase()}-x` })
        await create({ id: fresh('c'), name: 'other' })
        expect(idsOf(await all(10, `${word.toUpperCase()}-`))).toEqual([byId.id, byName.id].toSorted())
        expect(idsOf(await all(1, `${word}-`))).toEqual([byId.id, byName.id].toSorted())
        expect(idsOf(await all(10, 'nothing at all'))).toEqual([])
      })

      test('finds ids that begin with what is searched for first, each once', async () => {
        const word = fresh('prefix')
        const inName = await create({ id: fresh('a'), name: word })
        const first = await create({ id: `${word}-1` })
        const second = await create({ id: `${word}-2`, name: word })
        for (const limit of [1, 2, 10])
          expect(idsOf(await all(limit, word))).toEqual([first.id, second.id, inName.id])
      })

      test('shows what has changed, and not what is gone', async () => {
        const entity = await create({ id: fresh('listed') })
        const after = { ...entity, name: fresh('renamed'), version: entity.version + 1n }
        await store().replaceEntity(after, entity.version, anAudit())
        expect((await store().listEntities({ limit: 5, q: after.name })).items).toEqual([after])
        await store().deleteEntity(after, anAudit())
        expect((await store().listEntities({ limit: 5, q: after.name })).items).toEqual([])
      })

      test.each(['x', 'bm90IGpzb24', '!!!', Buffer.from('["a#b"]').toString('base64url')])(
        'refuses the cursor %s',
        async (cursor) => {
          await expect(store().listEntities({ limit: 5, cursor })).rejects.toMatchObject({
            code: 'invalid_request',
            field: 'cursor',
          })
        },
      )
    })

    describe('keys', () => {
      test('finds a key by the hash of its secret, and lists those of an entity by age', async () => {
        const entityId = fresh('owner')
        const [older, newer] = [fresh('hash'), fresh('hash')]
        const second = aKey({ keyId: 'a-second', entityId, createdAt: TODAY + 1n, expiresAt: TODAY + 5n })
        const first = aKey({ keyId: 'b-first', entityId, name: '' })
        expect(await store().putKey(second, newer, anAudit())).toBe('created')
        expect(await store().putKey(first, older, anAudit())).toBe('created')
        expect(await store().apiKey(older)).toEqual(first)
        expect(await store().apiKey(newer)).toEqual(second)
        expect(await store().apiKey(fresh('hash'))).toBeUndefined()
        expect(await store().listKeys(entityId)).toEqual([first, second])
        expect(await store().listKeys(fresh('owner'))).toEqual([])
      })

      test('rejects a repeated id or secret, and leaves nothing of the attempt', async () => {
        const entityId = fresh('owner')
        const [hash, other] = [fresh('hash'), fresh('hash')]
        const key = aKey({ keyId: 'k1', entityId })
        await store().putKey(key, hash, anAudit())
        const sameSecret = aKey({ keyId: 'k2', entityId: fresh('owner') })
        expect(await store().putKey(sameSecret, hash, anAudit())).toBe('exists')
        expect(await store().putKey({ ...key, name: 'again' }, other, anAudit())).toBe('exists')
        expect(await store().listKeys(sameSecret.entityId)).toEqual([])
        expect(await store().listKeys(entityId)).toEqual([key])
        expect(await store().apiKey(other)).toBeUndefined()
        expect(await store().apiKey(hash)).toEqual(key)
      })

      test('revokes a key in both of its items', async () => {
        const key = aKey({ keyId: 'k1', entityId: fresh('owner') })
        const hash = fresh('hash')
        await store().putKey(key, hash, anAudit())
        const revoked = { ...key, status: 'revoked' as const }
        const audit = anAudit({ subject: key.entityId, action: 'key.revoke' })
        expect(await store().updateKey(revoked, audit)).toBe('updated')
        expect(await store().apiKey(hash)).toEqual(revoked)
        expect(await store().listKeys(key.entityId)).toEqual([revoked])
        expect(await subjects(key.entityId)).toEqual(['key.revoke'])
      })

      test('never brings a revoked key back', async () => {
        const key = aKey({ keyId: 'k1', entityId: fresh('owner') })
        const [hash, next] = [fresh('hash'), fresh('hash')]
        await store().putKey(key, hash, anAudit())
        await store().updateKey({ ...key, status: 'revoked' }, anAudit())
        const replacement = { key: aKey({ keyId: 'k2', entityId: key.entityId }), secretHash: next }
        expect(await store().updateKey({ ...key, expiresAt: TODAY }, anAudit(), replacement)).toBe('missing')
        expect(await store().apiKey(hash)).toMatchObject({ status: 'revoked' })
        expect(await store().apiKey(next)).toBeUndefined()
        expect(await store().listKeys(key.entityId)).toHaveLength(1)
      })

      test('rotates: the new key comes with the end of the old one', async () => {
        const key = aKey({ keyId: 'k1', entityId: fresh('owner') })
        const [hash, next] = [fresh('hash'), fresh('hash')]
        await store().putKey(key, hash, anAudit())
        const replacement = aKey({ keyId: 'k2', entityId: key.entityId, createdAt: TODAY + 2n })
        const retired = { ...key, expiresAt: TODAY + 7n }
        expect(await store().updateKey(retired, anAudit(), { key: replacement, secretHash: next })).toBe(
          'updated',
        )
        expect(await store().apiKey(hash)).toEqual(retired)
        expect(await store().apiKey(next)).toEqual(replacement)
        expect(await store().listKeys(key.entityId)).toEqual([retired, replacement])
      })

      test('rejects a rotation to a secret in use, and leaves the old key unchanged', async () => {
        const key = aKey({ keyId: 'k1', entityId: fresh('owner') })
        const [hash, taken] = [fresh('hash'), fresh('hash')]
        await store().putKey(key, hash, anAudit())
        await store().putKey(aKey({ keyId: 'k9', entityId: fresh('owner') }), taken, anAudit())
        const replacement = { key: aKey({ keyId: 'k2', entityId: key.entityId }), secretHash: taken }
        expect(await store().updateKey({ ...key, expiresAt: TODAY }, anAudit(), replacement)).toBe('exists')
        expect(await store().listKeys(key.entityId)).toEqual([key])
        expect(await store().apiKey(hash)).toEqual(key)
      })

      test('updates no key that is not there', async () => {
        const key = aKey({ keyId: 'k1', entityId: fresh('owner') })
        expect(await store().updateKey({ ...key, status: 'revoked' }, anAudit())).toBe('missing')
        expect(await store().listKeys(key.entityId)).toEqual([])
      })
    })

    describe('models', () => {
      test('puts, replaces, lists and deletes', async () => {
        const id = `org/${fresh('model')}`
        const plain = aModel({ id })
        await store().putModel(plain, anAudit({ subject: `MODEL#${id}` }))
        expect(await store().model(id)).toEqual(plain)
        const priced = {
          ...plain,
          tier: 'premium',
          prices: {
            inputPerMillion: 2.5,
            outputPerMillion: 10,
            cachedInputPerMillion: 0.125,
            cacheWritePerMillion: 3.125,
            cacheWrite1hPerMillion: 5,
            longContext: { aboveTokens: 200_000, inputPerMillion: 5, outputPerMillion: 15 },
            serviceTiers: {
              flex: { inputPerMillion: 1.25, outputPerMillion: 5 },
              priority: {
                inputPerMillion: 4,
                outputPerMillion: 16,
                longContext: { aboveTokens: 200_000, inputPerMillion: 8, outputPerMillion: 24 },
              },
            },
            perImage: 0.04,
            perAudioSecond: 0.0001,
          },
          tokenWeights: { input: 0.5, output: 5, cachedInput: 0, cacheWrite: 1.25 },
          upstreams: [
            { upstream: 'bedrock-eu', model: 'eu.anthropic.claude' },
            { upstream: 'direct', model: null },
          ],
          maxOutputTokens: 8192,
        }
        await store().putModel(priced, anAudit({ subject: `MODEL#${id}` }))
        expect(await store().model(id)).toEqual(priced)
        const cheap = aModel({ id: fresh('model'), prices: { inputPerMillion: 0, outputPerMillion: 0 } })
        await store().putModel(cheap, anAudit())
        const listed = (await store().listModels()).filter((model) => [id, cheap.id].includes(model.id))
        expect(listed).toEqual([priced, cheap].toSorted((a, b) => (a.id < b.id ? -1 : 1)))
        expect(await store().deleteModel(id, anAudit({ subject: `MODEL#${id}` }))).toBe('deleted')
        expect(await store().deleteModel(id, anAudit({ subject: `MODEL#${id}` }))).toBe('missing')
        expect(await store().model(id)).toBeUndefined()
        expect(await subjects(`MODEL#${id}`)).toHaveLength(3)
      })
    })

    describe('upstreams', () => {
      test('puts, replaces, lists and deletes', async () => {
        const [first, second] = [fresh('upstream'), fresh('upstream')]
        const plain = anUpstream({ name: first })
        await store().putUpstream(plain, anAudit({ subject: `UPSTREAM#${first}` }))
        expect(await store().upstream(first)).toEqual(plain)
        const signed: Upstream = {
          ...plain,
          kind: 'bedrock',
          baseUrl: null,
          region: 'eu-central-1',
          signingService: 'bedrock-mantle',
          secret: 'env:UPSTREAM_API_KEY',
          headers: { 'x-team': 'a b' },
          timeouts: { connectSeconds: 0.5, firstByteSeconds: 290, idleSeconds: 30, totalSeconds: 600 },
          adaptive: { floor: 0.05 },
        }
        await store().putUpstream(signed, anAudit({ subject: `UPSTREAM#${first}` }))
        expect(await store().upstream(first)).toEqual(signed)
        const other = anUpstream({ name: second, kind: 'simulated', baseUrl: null })
        await store().putUpstream(other, anAudit())
        const listed = (await store().listUpstreams()).filter(({ name }) => [first, second].includes(name))
        expect(listed).toEqual([signed, other].toSorted((a, b) => (a.name < b.name ? -1 : 1)))
        expect(await store().deleteUpstream(first, anAudit({ subject: `UPSTREAM#${first}` }))).toBe('deleted')
        expect(await store().deleteUpstream(first, anAudit({ subject: `UPSTREAM#${first}` }))).toBe('missing')
        expect(await store().upstream(first)).toBeUndefined()
        expect(await subjects(`UPSTREAM#${first}`)).toHaveLength(3)
      })
    })

    describe('alerts', () => {
      test('puts, replaces, lists and deletes', async () => {
        const [first, second] = [fresh('alert'), fresh('alert')]
        const subject = `ALERT#${first}`
        await store().putAlert(anAlert({ name: first }), anAudit({ subject }))
        expect(await store().alert(first)).toEqual(anAlert({ name: first }))
        const policy: Alert = anAlert({
          name: first,
          policy: policyKeyOf('USER_MODEL', 'ann/org/model:1'),
          limitName: 'rpm',
          shares: [0.125, 1.5],
          target: { kind: 'sns', topicArn: TOPIC },
          changedAt: TODAY + 5n,
        })
        await store().putAlert(policy, anAudit({ subject }))
        expect(await store().alert(first)).toEqual(policy)
        const other = anAlert({ name: second, entityId: 'team-a' })
        await store().putAlert(other, anAudit())
        const listed = (await store().listAlerts()).filter(({ name }) => [first, second].includes(name))
        expect(listed).toEqual([policy, other].toSorted((a, b) => (a.name < b.name ? -1 : 1)))
        expect(await store().deleteAlert(first, anAudit({ subject }))).toBe('deleted')
        expect(await store().deleteAlert(first, anAudit({ subject }))).toBe('missing')
        expect(await store().alert(first)).toBeUndefined()
        expect(await subjects(subject)).toHaveLength(3)
      })
    })

    describe('a condition on the version', () => {
      const items = {
        model: (name: string) => ({
          put: (version: bigint, expected?: bigint | null) =>
            store().putModel(aModel({ id: name, version }), anAudit(), expected),
          remove: (expected: bigint) => store().deleteModel(name, anAudit(), expected),
          version: async () => (await store().model(name))?.version,
        }),
        upstream: (name: string) => ({
          put: (version: bigint, expected?: bigint | null) =>
            store().putUpstream(anUpstream({ name, version }), anAudit(), expected),
          remove: (expected: bigint) => store().deleteUpstream(name, anAudit(), expected),
          version: async () => (await store().upstream(name))?.version,
        }),
        alert: (name: string) => ({
          put: (version: bigint, expected?: bigint | null) =>
            store().putAlert(anAlert({ name, version }), anAudit(), expected),
          remove: (expected: bigint) => store().deleteAlert(name, anAudit(), expected),
          version: async () => (await store().alert(name))?.version,
        }),
      }

      test.each(Object.entries(items))('holds for a %s', async (kind, itemOf) => {
        const item = itemOf(fresh(kind))
        expect(await item.put(5n, 4n)).toBe('changed')
        expect(await item.put(5n, null)).toBe('replaced')
        expect(await item.put(6n, null)).toBe('changed')
        expect(await item.put(6n, 4n)).toBe('changed')
        expect(await item.version()).toBe(5n)
        expect(await item.put(6n, 5n)).toBe('replaced')
        expect(await item.remove(5n)).toBe('missing')
        expect(await item.version()).toBe(6n)
        expect(await item.remove(6n)).toBe('deleted')
        expect(await item.version()).toBeUndefined()
      })

      test('holds for the deletion of an entity', async () => {
        const entity = anEntity({ id: fresh('versioned') })
        await store().createEntity(entity, anAudit())
        expect(await store().deleteEntity(entity, anAudit(), entity.version + 1n)).toBe('changed')
        expect(await store().entity(entity.id)).toEqual(entity)
        expect(await store().deleteEntity(entity, anAudit(), entity.version)).toBe('deleted')
      })
    })

    describe('limit sets', () => {
      const keys = (): readonly LimitSetKey[] => [
        ofEntity(fresh('limited'), 'org/model:1'),
        { owner: { kind: 'role', role: fresh('role') }, resource: '_default_' },
        { owner: { kind: 'system' }, resource: fresh('resource') },
        policyLimitSet(policyKeyOf('USER_MODEL', `${fresh('ann')}/org/model:1`)),
      ]

      test('keeps the limits of every kind of owner, to the digit', async () => {
        for (const key of keys()) {
          const set = { limits: [RPM, BUDGET], version: TODAY + 123_456_789n }
          expect(await store().limitSets([key])).toEqual([undefined])
          expect(await store().putLimitSet(key, set, null, anAudit())).toBe('replaced')
          expect(await store().limitSets([key])).toEqual([set])
          expect(await store().limitedResources(key.owner)).toContain(key.resource)
        }
      })

      test('keeps since when the limits of each user apply, and whether single users have limits', async () => {
        const key = policyLimitSet({ scope: 'USER', selector: fresh('user') })
        const set = { limits: [RPM], version: TODAY + 7n, since: TODAY + 123_456_789n, hasNames: true }
        expect(await store().putLimitSet(key, set, null, anAudit())).toBe('replaced')
        expect(await store().limitSets([key])).toEqual([set])
        const empty = { limits: [], version: TODAY + 8n, hasNames: true }
        expect(await store().putLimitSet(key, empty, TODAY + 7n, anAudit())).toBe('replaced')
        expect(await store().limitSets([key])).toEqual([empty])
      })

      test('returns sets in the order of the keys, also repeated ones', async () => {
        const [a, b, c] = keys()
        if (a === undefined || b === undefined || c === undefined) throw new Error('three keys')
        await store().putLimitSet(a, { limits: [RPM], version: 1n }, null, anAudit())
        await store().putLimitSet(c, { limits: [BUDGET], version: 3n }, null, anAudit())
        const versions = (await store().limitSets([c, b, a, c])).map((set) => set?.version)
        expect(versions).toEqual([3n, undefined, 1n, 3n])
        expect(await store().limitSets([])).toEqual([])
      })

      test('reads more sets than one batch accepts', async () => {
        const entityId = fresh('many')
        const many = Array.from({ length: 130 }, (_, index) => ofEntity(entityId, `model-${index}`))
        const last = many.at(-1)
        if (last === undefined) throw new Error('keys')
        await store().putLimitSet(last, { limits: [RPM], version: 1n }, null, anAudit())
        const sets = await store().limitSets(many)
        expect(sets).toHaveLength(130)
        expect(sets.filter((set) => set !== undefined)).toEqual([{ limits: [RPM], version: 1n }])
        expect(sets.at(-1)).toBeDefined()
      })

      test('replaces only the expected version', async () => {
        for (const key of keys()) {
          await store().putLimitSet(key, { limits: [RPM], version: 1n }, null, anAudit())
          const late = { limits: [BUDGET], version: 9n }
          expect(await store().putLimitSet(key, late, null, anAudit())).toBe('changed')
          expect(await store().putLimitSet(key, late, 2n, anAudit())).toBe('changed')
          expect(await store().limitSets([key])).toEqual([{ limits: [RPM], version: 1n }])
          expect(await store().putLimitSet(key, { limits: [], version: 2n }, 1n, anAudit())).toBe('replaced')
          expect(await store().limitSets([key])).toEqual([{ limits: [], version: 2n }])
          expect(await store().limitedResources(key.owner)).not.toContain(key.resource)
        }
      })

      test('lists the resources of one owner in order', async () => {
        const id = fresh('limited')
        for (const resource of ['gpt-4', '_default_', 'a/b'])
          await store().putLimitSet(ofEntity(id, resource), { limits: [RPM], version: 1n }, null, anAudit())
        await store().putLimitSet(
          ofEntity(`${id}0`, 'other'),
          { limits: [RPM], version: 1n },
          null,
          anAudit(),
        )
        expect(await store().limitedResources({ kind: 'entity', id })).toEqual(['_default_', 'a/b', 'gpt-4'])
        expect(await store().limitedResources({ kind: 'entity', id: fresh('limited') })).toEqual([])
      })
    })

    describe('listed limit sets', () => {
      test('are those of one owner that have limits, with their versions', async () => {
        const owner = { kind: 'entity', id: fresh('limited') } as const
        const put = (resource: string, limits: readonly Limit[], version: bigint) =>
          store().putLimitSet({ owner, resource }, { limits, version }, null, anAudit())
        await put('gpt-4', [RPM], 3n)
        await put('_default_', [BUDGET], 4n)
        await put('gone', [], 5n)
        expect(await store().ownLimitSets(owner)).toEqual([
          { resource: '_default_', limits: [BUDGET], version: 4n },
          { resource: 'gpt-4', limits: [RPM], version: 3n },
        ])
        expect(await store().ownLimitSets({ kind: 'entity', id: fresh('limited') })).toEqual([])
      })

      test('are of roles as long as these have limits', async () => {
        const [first, second] = [`a-${fresh('role')}`, `b-${fresh('role')}`]
        const put = (
          role: string,
          resource: string,
          limits: readonly Limit[],
          before: bigint | null = null,
        ) => {
          const set = { limits, version: (before ?? 0n) + 1n }
          return store().putLimitSet({ owner: { kind: 'role', role }, resource }, set, before, anAudit())
        }
        await put(second, '_default_', [RPM])
        await put(first, 'org/model', [RPM])
        await put(first, '_default_', [RPM])
        const listed = async () =>
          (await store().limitedRoles()).filter((role) => [first, second].includes(role))
        expect(await listed()).toEqual([first, second])
        await put(first, 'org/model', [], 1n)
        expect(await listed()).toEqual([first, second])
        await put(first, '_default_', [], 1n)
        expect(await listed()).toEqual([second])
      })
    })

    describe('policies', () => {
      const put = async (scope: PolicyScope, selector: string, limits: readonly Limit[], version = 1n) => {
        const key = policyKeyOf(scope, selector)
        const set = policyLimitSet(key)
        const [before] = await store().limitSets([set])
        await store().putLimitSet(set, { limits, version }, before?.version ?? null, anAudit())
        return key
      }
      const listed = async () => {
        const { items, nextCursor } = await store().listPolicies({ limit: 1000 })
        expect(nextCursor).toBeNull()
        return items
      }
      const position = (items: readonly Policy[], { scope, selector }: PolicyKey) =>
        items.findIndex(({ key }) => key.scope === scope && key.selector === selector)

      test('lists them in order with their limits', async () => {
        const [ann, tenant] = [fresh('ann'), fresh('acme')]
        const keys = [
          await put('GLOBAL', '*', [RPM]),
          await put('MODEL', `org/${fresh('gpt')}`, [RPM, BUDGET]),
          await put('TENANT', tenant, [BUDGET]),
          await put('USER_MODEL', `${ann}/b:c`, [RPM]),
          await put('USER_MODEL', `${ann}:b/c`, [BUDGET]),
        ]
        const items = await listed()
        const places = keys.map((key) => position(items, key))
        expect(places).toEqual(places.toSorted((a, b) => a - b))
        expect(places.map((place) => items[place]?.limits)).toEqual([
          [RPM],
          [RPM, BUDGET],
          [BUDGET],
          [RPM],
          [BUDGET],
        ])
      })

      test('lists none that was deleted, until it is put again', async () => {
        const key = await put('TENANT', fresh('acme'), [RPM])
        await put('TENANT', key.selector, [], 2n)
        expect(position(await listed(), key)).toBe(-1)
        expect(await store().limitSets([policyLimitSet(key)])).toEqual([{ limits: [], version: 2n }])
        await put('TENANT', key.selector, [BUDGET], 3n)
        const items = await listed()
        expect(items[position(items, key)]).toEqual({ key, limits: [BUDGET], version: 3n })
      })

      test('lists them page by page, each once', async () => {
        for (const _ of [1, 2, 3]) await put('API_KEY', fresh('key'), [RPM])
        const all = await listed()
        const pages: Page<Policy>[] = []
        for (let cursor: string | null | undefined; cursor !== null; ) {
          const page = await store().listPolicies({ limit: 2, ...(cursor !== undefined && { cursor }) })
          pages.push(page)
          cursor = page.nextCursor
        }
        expect(pages.flatMap(({ items }) => items)).toEqual(all)
        expect(pages.slice(0, -1).every(({ items }) => items.length === 2)).toBe(true)
        expect(pages.at(-1)?.items.length).toBeGreaterThan(0)
      })

      test('rejects an invalid cursor', async () => {
        const audit = Buffer.from(JSON.stringify(['PLANET', 'earth'])).toString('base64url')
        for (const cursor of ['nonsense', audit])
          await expect(store().listPolicies({ limit: 2, cursor })).rejects.toMatchObject({ field: 'cursor' })
      })
    })

    auditSuite(store)
  })
}
