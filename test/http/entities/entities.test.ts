import { describe, expect, test } from 'vitest'
import { entitiesResponse, entityResponse } from '../../../src/contract/entities.ts'
import { asDescribed } from '../as-described.ts'
import { createTestApp } from '../test-app.ts'

const minimal = (entity_id: string, more: object = {}) => ({ body: { entity_id, name: entity_id, ...more } })

describe('creating an entity', () => {
  test('returns 201 with the entity and all its fields', async () => {
    const { send } = createTestApp()
    const created = asDescribed(await send('POST', '/api/entities', minimal('org')), entityResponse, 201)
    expect(created).toEqual({
      entity_id: 'org',
      name: 'org',
      parent_id: null,
      kind: 'entity',
      cascade: true,
      role: null,
      priority: 'normal',
      models: null,
      disabled: false,
      bypass: false,
      created_at: 1_767_225_600,
      metadata: {},
    })
    expect((await send('GET', '/api/entities/org')).body).toEqual(created)
  })

  test('rejects an existing one', async () => {
    const { send } = createTestApp()
    await send('POST', '/api/entities', minimal('org'))
    const { status, body } = await send('POST', '/api/entities', minimal('org'))
    expect({ status, body }).toMatchObject({ status: 409, body: { error: 'conflict' } })
  })

  test.each([
    ['parent_id', 'name an entity that exists', minimal('a', { parent_id: 'nobody' })],
    ['entity_id', 'be given', { body: { name: 'a' } }],
    ['entity_id', 'be a string', { body: { entity_id: 1, name: 'a' } }],
    ['entity_id', 'be 1 to 128 of A-Z a-z 0-9 . _ : @ - and begin with a letter or digit', minimal('a#b')],
    ['name', 'be at least 1 characters long', { body: { entity_id: 'a', name: '' } }],
    ['priority', 'be one of high, normal, low', minimal('a', { priority: 'urgent' })],
    ['cascade', 'be true or false', minimal('a', { cascade: 'yes' })],
    ['models[1]', 'be a string', minimal('a', { models: ['gpt-4', 4] })],
    ['metadata.team', 'be a string', minimal('a', { metadata: { team: 7 } })],
    ['metadata', 'be an object', minimal('a', { metadata: [] })],
    ['metadata', 'be an object', minimal('a', { metadata: ['x'] })],
    ['nonsense', 'not be given: it is not known', minimal('a', { nonsense: 1 })],
    ['constructor', 'not be given: it is not known', minimal('a', { constructor: 1 })],
    ['__proto__', 'not be given: it is not known', minimal('a', { ['__proto__']: 1 })],
    ['body', 'be an object', { body: [minimal('a').body] }],
    ['body', 'be an object', { body: 'a' }],
  ])('rejects %s, which must %s', async (field, must, request) => {
    const { status, body } = await createTestApp().send('POST', '/api/entities', request)
    expect({ status, body }).toEqual({
      status: 400,
      body: { error: 'invalid_request', message: `${field} must ${must}`, field },
    })
  })
})

describe('changing an entity', () => {
  test('changes the given fields, null removing the parent, and keeps the rest', async () => {
    const { send } = createTestApp()
    await send('POST', '/api/entities', minimal('org'))
    await send('POST', '/api/entities', minimal('key', { parent_id: 'org', role: 'user', models: ['gpt-4'] }))
    const patch = { parent_id: null, models: null, disabled: true }
    const changed = asDescribed(await send('PATCH', '/api/entities/key', { body: patch }), entityResponse)
    expect(changed).toMatchObject({
      parent_id: null,
      models: null,
      disabled: true,
      role: 'user',
      name: 'key',
    })
  })

  test('rejects a cycle, an unknown entity, and a field that cannot change', async () => {
    const { send } = createTestApp()
    await send('POST', '/api/entities', minimal('a'))
    await send('POST', '/api/entities', minimal('b', { parent_id: 'a' }))
    await send('POST', '/api/entities', minimal('c', { parent_id: 'b' }))
    const patched = async (id: string, body: object) =>
      (await send('PATCH', `/api/entities/${id}`, { body })).status
    expect(await patched('a', { parent_id: 'c' })).toBe(400)
    expect(await patched('a', { parent_id: 'a' })).toBe(400)
    expect(await patched('c', { parent_id: 'a' })).toBe(200)
    expect(await patched('nobody', { name: 'x' })).toBe(404)
    expect(await patched('a', { created_at: 0 })).toBe(400)
  })
})

describe('deleting an entity', () => {
  test('is rejected while it has children', async () => {
    const { send } = createTestApp()
    await send('POST', '/api/entities', minimal('a'))
    await send('POST', '/api/entities', minimal('b', { parent_id: 'a' }))
    expect((await send('GET', '/api/entities/a/children')).body).toEqual({ entity_id: 'a', children: ['b'] })
    expect((await send('DELETE', '/api/entities/a')).status).toBe(409)
    expect(await send('DELETE', '/api/entities/b')).toMatchObject({ status: 204, body: undefined })
    expect((await send('DELETE', '/api/entities/a')).status).toBe(204)
    expect((await send('GET', '/api/entities/a')).status).toBe(404)
    expect((await send('DELETE', '/api/entities/a')).status).toBe(404)
  })
})

describe('listing entities', () => {
  test('returns all pages in order', async () => {
    const { send } = createTestApp()
    for (const id of ['c', 'a', 'b']) await send('POST', '/api/entities', minimal(id))
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const next: string = cursor === null ? '' : `&cursor=${cursor}`
      const page = asDescribed(await send('GET', `/api/entities?limit=2${next}`), entitiesResponse)
      seen.push(...page.items.map((entity) => entity.entity_id))
      cursor = page.next_cursor
    } while (cursor !== null)
    expect(seen).toEqual(['a', 'b', 'c'])
  })

  test('returns the matches of a search', async () => {
    const { send } = createTestApp()
    for (const id of ['alpha', 'beta']) await send('POST', '/api/entities', minimal(id))
    const { items } = asDescribed(await send('GET', '/api/entities?q=ALP'), entitiesResponse)
    expect(items.map((entity) => entity.entity_id)).toEqual(['alpha'])
  })

  test.each([
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=ten', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['cursor=nonsense', 'cursor'],
  ])('rejects ?%s', async (search, field) => {
    const { status, body } = await createTestApp().send('GET', `/api/entities?${search}`)
    expect({ status, body }).toMatchObject({ status: 400, body: { error: 'invalid_request', field } })
  })
})

test.each([
  '%23',
  'a%23b',
  '..%2F..%2Fetc',
  '%00',
  '%zz',
  '__proto__',
  'a%20b',
  'x'.repeat(129),
  '%F0%9F%A6%86',
])('an invalid id, %s, gets 400 and no other error', async (id) => {
  const { send } = createTestApp()
  for (const [method, path] of [
    ['GET', `/api/entities/${id}`],
    ['DELETE', `/api/entities/${id}`],
    ['GET', `/api/limits/${id}`],
    ['GET', `/api/usage/${id}`],
    ['GET', `/api/dashboard/availability/${id}`],
  ] as const) {
    const { status, body } = await send(method, path)
    expect({ path, status, body }).toMatchObject({ status: 400, body: { field: 'entity_id' } })
  }
})

test.each(['constructor', 'toString', 'a:b', 'user@example.com', '0'])(
  'an odd id, %s, is like any other',
  async (id) => {
    const { send } = createTestApp()
    expect((await send('GET', `/api/entities/${id}`)).status).toBe(404)
    expect((await send('POST', '/api/entities', minimal(id))).status).toBe(201)
    expect((await send('GET', `/api/entities/${encodeURIComponent(id)}`)).body).toMatchObject({
      entity_id: id,
    })
  },
)
