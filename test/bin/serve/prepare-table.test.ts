import { describe, expect, test } from 'vitest'
import type { FileKey } from '../../../bin/serve/api-keys-file.ts'
import { loadApiKeys } from '../../../bin/serve/prepare-table.ts'
import { createKeyService } from '../../../src/core/admin/keys.ts'
import { type Logger, silentLogger } from '../../../src/core/ports/platform.ts'
import { randomSecrets } from '../../../src/platform/secrets.ts'
import { createTestClock } from '../../core/test-clock.ts'
import { createMemoryAdminStore } from '../../support/memory-admin-store.ts'

const SECRET = 'sk-prod-4f8a77c1e09d'

const KEY: FileKey = {
  secret: SECRET,
  entityId: 'file-4749769a',
  request_per_minute: 120,
  input_tokens_per_minute: 20_000,
  output_tokens_per_minute: 10_000,
}

const start = () => {
  const store = createMemoryAdminStore()
  const clock = createTestClock()
  const lines: string[] = []
  const note: Logger['info'] = (message, fields) => void lines.push(JSON.stringify([message, fields]))
  const logger: Logger = { ...silentLogger, info: note, warn: note }
  const deps = { store, clock, secrets: randomSecrets }
  const load = (keys: readonly FileKey[] = [KEY], windowSeconds = 60) =>
    loadApiKeys({ ...deps, logger, windowSeconds }, keys)
  const limitSet = async (id = KEY.entityId) =>
    (await store.limitSets([{ owner: { kind: 'entity', id }, resource: '_default_' }]))[0]
  const audit = async () => (await store.listAudit({ limit: 100 })).items
  return { ...deps, load, limitSet, audit, lines, keys: createKeyService({ ...deps, changed: () => {} }) }
}

const window = (limit: number, windowSeconds = 60, slots = 60) => ({
  algorithm: 'sliding_window',
  limit,
  windowSeconds,
  slots,
})

describe('keys of a file', () => {
  test('become entities with windows, and keys stored as their hash', async () => {
    const { store, load, limitSet, lines, audit } = start()
    await load()
    expect(await store.entity(KEY.entityId)).toMatchObject({ kind: 'key', name: KEY.entityId })
    expect((await limitSet())?.limits).toMatchObject([
      { name: 'rpm', meter: 'requests', size: window(120) },
      { name: 'itpm', meter: 'input_tokens', size: window(20_000) },
      { name: 'otpm', meter: 'output_tokens', size: window(10_000) },
    ])
    const key = await store.apiKey(randomSecrets.hash(SECRET))
    expect(key).toMatchObject({ entityId: KEY.entityId, prefix: 'sk-prod-', status: 'active' })
    const seen = JSON.stringify([key, await audit(), lines], (_, value) =>
      typeof value === 'bigint' ? String(value) : value,
    )
    expect(seen).not.toContain(SECRET)
  })

  test('change nothing when they are loaded again, by any number of nodes', async () => {
    const { load, limitSet, audit, clock } = start()
    await Promise.all([load(), load(), load()])
    const [before, records] = [await limitSet(), await audit()]
    expect(records).toHaveLength(3)
    clock.advance(1_000_000_000n)
    await load()
    expect(await limitSet()).toEqual(before)
    expect(await audit()).toEqual(records)
  })

  test('update limits that the file changes, and remove those it no longer contains', async () => {
    const { load, limitSet } = start()
    await load()
    await load([{ secret: SECRET, entityId: KEY.entityId, request_per_minute: 60 }])
    expect((await limitSet())?.limits).toMatchObject([{ name: 'rpm', size: window(60) }])
    await load([{ secret: SECRET, entityId: KEY.entityId }])
    expect((await limitSet())?.limits).toEqual([])
  })

  test.each([
    [1, 2],
    [2, 2],
    [10, 10],
    [60, 60],
    [90, 60],
    [3600, 60],
  ])('have their limits in windows of %d s with %d slots', async (windowSeconds, slots) => {
    const { load, limitSet } = start()
    await load([KEY], windowSeconds)
    expect((await limitSet())?.limits[0]).toMatchObject({ size: window(120, windowSeconds, slots) })
  })

  test('stay revoked if they were revoked', async () => {
    const { store, load, keys, lines } = start()
    await load()
    const [key] = await keys.list(KEY.entityId)
    await keys.revoke(KEY.entityId, key?.keyId ?? '', 'admin')
    await load()
    expect(await store.apiKey(randomSecrets.hash(SECRET))).toMatchObject({ status: 'revoked' })
    expect(lines.join()).toContain('is revoked or expired, and remains so')
  })

  test('leave existing entities unchanged', async () => {
    const { store, load, keys } = start()
    await load([{ ...KEY, entityId: 'team' }])
    const before = await store.entity('team')
    await load([{ ...KEY, secret: 'sk-second-0123456789', entityId: 'team', name: 'Other' }])
    expect(await store.entity('team')).toEqual(before)
    expect(await keys.list('team')).toHaveLength(2)
  })

  test('are rejected if they are keys of another entity', async () => {
    const { load } = start()
    await load()
    await expect(load([{ ...KEY, entityId: 'other' }])).rejects.toThrow(
      'API_KEYS_FILE keys.sk-prod-... is a key of file-4749769a already: give it the id file-4749769a, or remove it',
    )
  })
})
