import { describe, expect, test } from 'vitest'
import { usageResponse } from '../../../src/contract/history.ts'
import { keysResponse, newKeyResponse } from '../../../src/contract/keys.ts'
import type { UsageQuery } from '../../../src/core/model/usage.ts'
import { SECOND } from '../../core/test-clock.ts'
import { asDescribed } from '../as-described.ts'
import { createTestApp } from '../test-app.ts'

const KEYS = '/api/entities/org/keys'

const withEntity = async () => {
  const app = createTestApp()
  await app.send('POST', '/api/entities', { body: { entity_id: 'org', name: 'Org' } })
  const opens = async (secret: string): Promise<boolean> => {
    app.clock.advance(1n)
    return (await app.send('GET', '/v1/models', { headers: { 'x-api-key': secret } })).status === 200
  }
  const create = async (body: object = {}) =>
    asDescribed(await app.send('POST', KEYS, { body }), newKeyResponse, 201)
  return { ...app, opens, create }
}

describe('a key', () => {
  test('is created with a working secret, which no other response contains', async () => {
    const { send, opens, create } = await withEntity()
    const { key_id, secret } = await create({ name: 'ci' })
    expect(await opens(secret)).toBe(true)
    const { items } = asDescribed(await send('GET', KEYS), keysResponse)
    expect(items).toMatchObject([{ key_id, name: 'ci', masked_secret: `${secret.slice(0, 8)}...` }])
    for (const path of [KEYS, '/api/audit', '/api/entities/org']) {
      expect(JSON.stringify((await send('GET', path)).body)).not.toContain(secret.slice(8))
    }
  })

  test('needs no field, but a body', async () => {
    const { send } = await withEntity()
    asDescribed(await send('POST', KEYS, { body: {} }), newKeyResponse, 201)
    expect(await send('POST', KEYS)).toMatchObject({
      status: 400,
      body: { field: 'body', message: 'body must be given: a JSON object' },
    })
  })

  test('can be created with a given secret, once', async () => {
    const { send, create, opens } = await withEntity()
    const secret = 'sixteen-letters!'
    expect((await create({ secret })).secret).toBe(secret)
    expect(await opens(secret)).toBe(true)
    const again = await send('POST', KEYS, { body: { secret } })
    expect(again.status).toBe(409)
    expect(JSON.stringify(again.body)).not.toContain(secret)
  })

  test.each([
    ['secret', { secret: 'fifteen-letters' }],
    ['secret', { secret: 'with a space in the middle' }],
    ['secret', { secret: 'x'.repeat(257) }],
    ['expires_at', { expires_at: 1_767_225_600 }],
    ['expires_at', { expires_at: 'tomorrow' }],
    ['name', { name: 'x'.repeat(257) }],
    ['colour', { colour: 'red' }],
  ])('with an invalid %s is rejected', async (field, body) => {
    const { send } = await withEntity()
    expect(await send('POST', KEYS, { body })).toMatchObject({ status: 400, body: { field } })
  })

  test('does not work after it is revoked, which can be repeated', async () => {
    const { send, opens, create } = await withEntity()
    const { key_id, secret } = await create()
    expect(await opens(secret)).toBe(true)
    expect((await send('DELETE', `${KEYS}/${key_id}`)).status).toBe(204)
    expect(await opens(secret)).toBe(false)
    expect((await send('DELETE', `${KEYS}/${key_id}`)).status).toBe(204)
    expect((await send('DELETE', `${KEYS}/unknown`)).status).toBe(404)
  })

  test('belongs to one entity: it is not found under another', async () => {
    const { send, create } = await withEntity()
    await send('POST', '/api/entities', { body: { entity_id: 'other', name: 'Other' } })
    const { key_id } = await create()
    expect((await send('DELETE', `/api/entities/other/keys/${key_id}`)).status).toBe(404)
    expect((await send('POST', '/api/entities/nobody/keys', { body: {} })).status).toBe(404)
  })
})

describe('rotating a key', () => {
  test('disables the old one at once without a grace period', async () => {
    const { send, opens, create } = await withEntity()
    const old = await create({ name: 'ci' })
    const made = asDescribed(await send('POST', `${KEYS}/${old.key_id}/rotate`), newKeyResponse, 201)
    expect(made).toMatchObject({ name: 'ci', expires_at: null })
    expect([await opens(old.secret), await opens(made.secret)]).toEqual([false, true])
  })

  test('keeps the old one working for its grace period', async () => {
    const { send, opens, create, clock } = await withEntity()
    const old = await create()
    await send('POST', `${KEYS}/${old.key_id}/rotate`, { body: { grace_seconds: 60 } })
    expect(await opens(old.secret)).toBe(true)
    clock.advance(60n * SECOND)
    expect(await opens(old.secret)).toBe(false)
  })

  test('never extends the old one', async () => {
    const { send, create, opens, clock } = await withEntity()
    const old = await create({ expires_at: Number(clock.now() / SECOND) + 10 })
    await send('POST', `${KEYS}/${old.key_id}/rotate`, { body: { grace_seconds: 60 } })
    clock.advance(10n * SECOND)
    expect(await opens(old.secret)).toBe(false)
  })

  test('is rejected for a key that no longer works', async () => {
    const { send, create } = await withEntity()
    const { key_id } = await create()
    await send('DELETE', `${KEYS}/${key_id}`)
    expect((await send('POST', `${KEYS}/${key_id}/rotate`)).status).toBe(409)
  })
})

describe('the usage of an entity', () => {
  const NOW = 1_767_225_600

  const used = { requests: 3, tokens: 40, input_tokens: 30, output_tokens: 10, cost_usd_micros: 5 }

  const withUsage = async () => {
    const queries: UsageQuery[] = []
    const app = createTestApp({
      usage: {
        usage: async (query) => {
          queries.push(query)
          return [{ start: NOW, resource: 'gpt-4', used, denied: 2 }]
        },
      },
    })
    await app.send('POST', '/api/entities', { body: { entity_id: 'org', name: 'Org' } })
    return { ...app, queries }
  }

  test('usage has for each point every meter and the denials', async () => {
    const { send } = await withUsage()
    const response = asDescribed(await send('GET', '/api/usage/org'), usageResponse)
    expect(response).toEqual({
      entity_id: 'org',
      points: [{ start: NOW, resource: 'gpt-4', ...used, denied: 2 }],
    })
  })

  test.each([
    ['', { granularity: 'hour', from: NOW + 3600 - 86_400, to: NOW + 3600 }],
    ['?granularity=day', { granularity: 'day', from: NOW + 86_400 - 30 * 86_400, to: NOW + 86_400 }],
    ['?from=7300&to=7400&resource=gpt-4', { granularity: 'hour', from: 7200, to: 7400, resource: 'gpt-4' }],
    [`?from=${NOW + 59}`, { granularity: 'hour', from: NOW, to: NOW + 3600 }],
    [`?granularity=day&from=${NOW - 1}`, { granularity: 'day', from: NOW - 86_400, to: NOW + 86_400 }],
    ['?from=0', { granularity: 'hour', from: NOW + 3600 - 400 * 86_400, to: NOW + 3600 }],
    ['?to=4102444800', { granularity: 'hour', from: NOW + 3600 - 86_400, to: NOW + 3600 }],
    ['?from=4102444800', { granularity: 'hour', from: NOW + 3600, to: NOW + 3600 }],
  ])('the request %s reads the range %s', async (search, query) => {
    const { send, queries } = await withUsage()
    await send('GET', `/api/usage/org${search}`)
    expect(queries).toEqual([{ entityId: 'org', ...query }])
  })

  test.each([
    ['from=200&to=100', 'from'],
    ['from=-1', 'from'],
    ['from=100&to=100', 'from'],
    ['granularity=minute', 'granularity'],
    ['to=yesterday', 'to'],
    ['resource=a%20b', 'resource'],
  ])('the request ?%s is rejected', async (search, field) => {
    const { send } = await withUsage()
    expect(await send('GET', `/api/usage/org?${search}`)).toMatchObject({ status: 400, body: { field } })
  })

  test('usage is not found for an unknown entity', async () => {
    expect((await (await withUsage()).send('GET', '/api/usage/nobody')).status).toBe(404)
  })
})
