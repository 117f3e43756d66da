import { describe, expect, test } from 'vitest'
import { createEntityService } from '../../../src/core/admin/entities.ts'
import { createKeyService } from '../../../src/core/admin/keys.ts'
import { createTestAdmin } from './test-admin.ts'

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
    await expect(keys.create('org', { secret: 'key-bob' }, 'seed')).rejects.toMatchObject({ field: 'secret' })
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
