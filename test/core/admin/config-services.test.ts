import { describe, expect, test } from 'vitest'
import { nextVersion, untilUnchanged } from '../../../src/core/admin/audit.ts'
import { createEntityService } from '../../../src/core/admin/entities.ts'
import { createKeyService } from '../../../src/core/admin/keys.ts'
import { createModelService } from '../../../src/core/admin/models.ts'
import { ZaelError } from '../../../src/core/model/errors.ts'
import { aModel } from '../../store/store-fixtures.ts'
import { createTestAdmin } from './test-admin.ts'

test.each([
  [100n, null, 100n],
  [100n, 99n, 100n],
  [100n, 100n, 101n],
  [100n, 500n, 501n],
])('at %s, the version after %s is %s', (now, before, after) => {
  expect(nextVersion(now, before)).toBe(after)
})

test('a change is repeated while others write in between', async () => {
  const outcomes = ['changed', 'changed', 'done'] as const
  let tries = 0
  expect(await untilUnchanged(async () => outcomes[tries++] ?? 'done')).toBe('done')
  expect(tries).toBe(3)
})

test('a change fails after repeated concurrent writes', async () => {
  let tries = 0
  const attempt = async (): Promise<'changed'> => {
    tries += 1
    return 'changed'
  }
  await expect(untilUnchanged(attempt)).rejects.toMatchObject({ code: 'conflict' })
  await expect(untilUnchanged(attempt)).rejects.toBeInstanceOf(ZaelError)
  expect(tries).toBe(10)
})

describe('the service of models', () => {
  const setUp = () => {
    const admin = createTestAdmin()
    return { ...admin, models: createModelService(admin.deps) }
  }

  const longContext = { aboveTokens: 1000, inputPerMillion: 1, outputPerMillion: 2 }

  const upstream = { upstream: 'openai', model: null }

  const prices = { inputPerMillion: 1, outputPerMillion: 2 }

  describe('models', () => {
    test('keep the time of their registration', async () => {
      const { models, clock } = setUp()
      const first = await models.put('gpt-4', { tier: 'premium' }, 'admin')
      clock.advance(100n)
      const second = await models.put('gpt-4', { prices }, 'admin')
      expect([first.created, second.created]).toEqual([true, false])
      const { createdAt, version } = first.model
      expect(second.model).toEqual(aModel({ id: 'gpt-4', prices, createdAt, version: version + 100n }))
      expect(await models.get('gpt-4')).toEqual(second.model)
    })

    test('leave audit records with the previous state, and notify of each change', async () => {
      const { models, audit, changes } = setUp()
      await models.put('gpt-4', { tier: 'premium' }, 'admin')
      await models.remove('gpt-4', 'admin')
      await expect(models.remove('gpt-4', 'admin')).rejects.toMatchObject({ code: 'not_found' })
      await expect(models.get('gpt-4')).rejects.toMatchObject({ code: 'not_found' })
      expect(await audit()).toMatchObject([
        { action: 'model.delete', subject: 'MODEL#gpt-4', before: { tier: 'premium' }, after: null },
        { action: 'model.put', subject: 'MODEL#gpt-4', before: null },
      ])
      expect(changes).toEqual([{ modelId: 'gpt-4' }, { modelId: 'gpt-4' }])
    })

    test.each([
      ['model_id', 'a b', {}],
      ['tier', 'a', { tier: '' }],
      ['prices.input_per_million', 'a', { prices: { ...prices, inputPerMillion: -1 } }],
      ['prices.input_per_million', 'a', { prices: { ...prices, inputPerMillion: 1e-131 } }],
      ['prices.output_per_million', 'a', { prices: { ...prices, outputPerMillion: Number.NaN } }],
      ['prices.cached_input_per_million', 'a', { prices: { ...prices, cachedInputPerMillion: Infinity } }],
      ['prices.cache_write_per_million', 'a', { prices: { ...prices, cacheWritePerMillion: -1 } }],
      [
        'prices.long_context.above_tokens',
        'a',
        { prices: { ...prices, longContext: { ...longContext, aboveTokens: 0.5 } } },
      ],
      [
        'prices.long_context.output_per_million',
        'a',
        { prices: { ...prices, longContext: { ...longContext, outputPerMillion: -1 } } },
      ],
      ['upstreams', 'a', { upstreams: Array(9).fill(upstream) }],
      ['upstreams[0].upstream', 'a', { upstreams: [{ upstream: 'a b', model: null }] }],
      ['upstreams[0].model', 'a', { upstreams: [{ upstream: 'openai', model: 'a b' }] }],
      ['upstreams[1]', 'a', { upstreams: [upstream, upstream] }],
      ['max_output_tokens', 'a', { maxOutputTokens: 0 }],
      ['max_output_tokens', 'a', { maxOutputTokens: 1.5 }],
    ])('with an invalid %s are rejected', async (field, id, draft) => {
      await expect(setUp().models.put(id, draft, 'admin')).rejects.toMatchObject({ field })
    })
  })
})

describe('the service of keys', () => {
  const setUp = async () => {
    const admin = createTestAdmin()
    await createEntityService(admin.deps).create({ id: 'org', name: 'Org' }, 'admin')
    return { ...admin, keys: createKeyService(admin.deps) }
  }

  describe('keys', () => {
    test('are stored under the hash of their secret', async () => {
      const { keys, store } = await setUp()
      const { key, secret } = await keys.create('org', { name: 'ci' }, 'admin')
      expect(await store.apiKey(`hash of ${secret}`)).toEqual(key)
      expect(key).toMatchObject({ entityId: 'org', name: 'ci', status: 'active', expiresAt: null })
    })

    test('leave neither secret nor hash in the audit records', async () => {
      const { keys, audit } = await setUp()
      const { key, secret } = await keys.create('org', { secret: 'given-and-long-enough' }, 'admin')
      const rotated = await keys.rotate('org', key.keyId, 0n, 'admin')
      await keys.revoke('org', rotated.key.keyId, 'admin')
      const records = JSON.stringify(await audit(), (_, value) =>
        typeof value === 'bigint' ? `${value}` : value,
      )
      for (const [word, count] of [
        [secret, 0],
        [rotated.secret, 0],
        ['hash of', 0],
        ['key.', 3],
      ] as const) {
        expect([word, records.split(word).length - 1]).toEqual([word, count])
      }
    })

    test('may have short secrets if the rule allows it, half of which stays readable', async () => {
      const { deps, keys } = await setUp()
      await expect(keys.create('org', { secret: 'key-bob' }, 'seed')).rejects.toMatchObject({
        field: 'secret',
      })
      const seeded = createKeyService(deps, { shortestSecret: 1 })
      expect((await seeded.create('org', { secret: 'key-bob' }, 'seed')).key.prefix).toBe('key')
      expect((await seeded.create('org', { secret: 'key-alice' }, 'seed')).key.prefix).toBe('key-alic')
    })

    test('notify of every change', async () => {
      const { keys, changes } = await setUp()
      changes.length = 0
      const { key } = await keys.create('org', {}, 'admin')
      await keys.revoke('org', key.keyId, 'admin')
      await keys.revoke('org', key.keyId, 'admin')
      expect(changes).toEqual([{ entityId: 'org' }, { entityId: 'org' }])
    })
  })
})

describe('the service of entities', () => {
  const setUp = () => {
    const admin = createTestAdmin()
    return { ...admin, entities: createEntityService(admin.deps) }
  }

  describe('entities', () => {
    test('have versions from the time of each change, each later than the one before', async () => {
      const { entities, clock } = setUp()
      const made = await entities.create({ id: 'a', name: 'A' }, 'admin')
      expect([made.version, made.createdAt]).toEqual([clock.now(), clock.now()])
      const changed = await entities.change('a', { name: 'B' }, 'admin')
      expect(changed.version).toBe(made.version + 1n)
      clock.advance(100n)
      expect((await entities.change('a', { name: 'C' }, 'admin')).version).toBe(clock.now())
    })

    test('keep the changes of two concurrent writers', async () => {
      const { entities } = setUp()
      await entities.create({ id: 'a', name: 'A' }, 'admin')
      await Promise.all([
        entities.change('a', { name: 'B' }, 'one'),
        entities.change('a', { role: 'user' }, 'two'),
        entities.change('a', { kind: 'tenant' }, 'three'),
      ])
      expect(await entities.get('a')).toMatchObject({ name: 'B', role: 'user', kind: 'tenant' })
    })

    test('leave an audit record of every successful change and of no other', async () => {
      const { entities, audit, changes } = setUp()
      await entities.create({ id: 'a', name: 'A' }, 'admin')
      await entities.change('a', { disabled: true }, 'operator')
      await entities.remove('a', 'admin')
      await expect(entities.create({ id: 'b', name: 'B', parentId: 'none' }, 'admin')).rejects.toThrow(
        'parent_id',
      )
      await expect(entities.change('a', { name: 'x' }, 'admin')).rejects.toMatchObject({ code: 'not_found' })
      expect((await audit()).map(({ actor, action }) => `${actor} ${action}`)).toEqual([
        'admin entity.delete',
        'operator entity.change',
        'admin entity.create',
      ])
      expect((await audit())[1]).toMatchObject({ before: { disabled: false }, after: { disabled: true } })
      expect(changes).toEqual([{ entityId: 'a' }, { entityId: 'a' }, { entityId: 'a' }])
    })

    test.each([
      ['entity_id', { id: '#' }],
      ['name', { name: '' }],
      ['name', { name: 'x'.repeat(257) }],
      ['kind', { kind: 'a b' }],
      ['role', { role: 'a#b' }],
      ['parent_id', { parentId: '' }],
      ['models', { models: Array.from({ length: 101 }, (_, i) => `m${i}`) }],
      ['models[1]', { models: ['a', 'b c'] }],
      ['metadata', { metadata: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, ''])) }],
      ['metadata', { metadata: { '': 'x' } }],
      ['metadata.note', { metadata: { note: 'x'.repeat(1025) } }],
    ])('with an invalid %s are rejected', async (field, wrong) => {
      const { entities } = setUp()
      await expect(entities.create({ id: 'a', name: 'A', ...wrong }, 'admin')).rejects.toMatchObject({
        code: 'invalid_request',
        field,
      })
    })

    test('reject a cycle of any length, and resolution ends if one exists anyway', async () => {
      const { entities, store } = setUp()
      for (const [id, parentId] of [
        ['a', null],
        ['b', 'a'],
        ['c', 'b'],
      ] as const) {
        await entities.create({ id, name: id, parentId }, 'admin')
      }
      await expect(entities.change('a', { parentId: 'c' }, 'admin')).rejects.toMatchObject({
        field: 'parent_id',
      })
      const a = await entities.get('a')
      await store.replaceEntity(
        { ...a, parentId: 'c' },
        a.version,
        (await store.listAudit({ limit: 1 })).items[0] ?? never(),
      )
      await expect(entities.create({ id: 'd', name: 'd', parentId: 'b' }, 'admin')).resolves.toMatchObject({
        id: 'd',
      })
    })

    test('have at most 32 ancestors, and so do the descendants of one that is moved', async () => {
      const { entities } = setUp()
      const under = (id: string, parentId: string | null) =>
        entities.create({ id, name: id, parentId }, 'admin')
      for (let depth = 0; depth <= 32; depth++) await under(`e${depth}`, depth === 0 ? null : `e${depth - 1}`)
      const tooDeep = {
        code: 'invalid_request',
        field: 'parent_id',
        message: 'parent_id must leave the entity and its descendants with at most 32 ancestors each',
      }
      await expect(under('e33', 'e32')).rejects.toMatchObject(tooDeep)
      await under('moved', null)
      await under('child', 'moved')
      await under('other', 'moved')
      await expect(entities.change('moved', { parentId: 'e31' }, 'admin')).rejects.toMatchObject(tooDeep)
      await expect(entities.change('moved', { parentId: 'e32' }, 'admin')).rejects.toMatchObject(tooDeep)
      await entities.change('moved', { parentId: 'e30' }, 'admin')
      await entities.remove('child', 'admin')
      await entities.change('other', { parentId: 'e31' }, 'admin')
      await entities.change('moved', { parentId: 'e31' }, 'admin')
    })
  })

  const never = (): never => {
    throw new Error('there is no record')
  }
})
