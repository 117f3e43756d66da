import { describe, expect, test } from 'vitest'
import { auditResponse } from '../../../src/contract/history.ts'
import { policiesResponse, policyResponse } from '../../../src/contract/policies.ts'
import { asDescribed } from '../as-described.ts'
import { createTestApp, VIEWER } from '../test-app.ts'

const PER_HOUR = { name: 'rph', algorithm: 'sliding_window', limit: 10, window_seconds: 3600 }

const body = { limits: [PER_HOUR] }

describe('a policy', () => {
  test('can be created, replaced, read, listed and deleted', async () => {
    const { send } = createTestApp()
    const path = '/api/policies/TENANT/acme'
    const created = asDescribed(await send('PUT', path, { body }), policyResponse, 201)
    expect(created).toMatchObject({
      label: 'TENANT acme',
      scope: 'TENANT',
      selector: 'acme',
      limits: [{ ...PER_HOUR, meter: 'requests', capacity: 10, source: 'policy:TENANT:acme' }],
    })
    expect(created).not.toHaveProperty('user')
    const tokens = { name: 'tpm', capacity: 100, refill_rate: 10 }
    const replaced = asDescribed(await send('PUT', path, { body: { limits: [tokens] } }), policyResponse)
    expect(replaced.limits).toMatchObject([tokens])
    expect(asDescribed(await send('GET', path), policyResponse)).toEqual(replaced)
    const listed = asDescribed(await send('GET', '/api/policies'), policiesResponse)
    expect(listed).toEqual({ items: [replaced], next_cursor: null })
    expect(await send('DELETE', path)).toMatchObject({ status: 204, body: undefined })
    expect((await send('DELETE', path)).status).toBe(404)
    expect((await send('GET', path)).status).toBe(404)
    expect(asDescribed(await send('GET', '/api/policies'), policiesResponse).items).toEqual([])
    asDescribed(await send('PUT', path, { body }), policyResponse, 201)
  })

  test.each([
    ['GLOBAL/*', 'GLOBAL *', {}],
    ['GLOBAL/%2A', 'GLOBAL *', {}],
    ['MODEL/org/gpt', 'MODEL org/gpt', {}],
    ['USER_MODEL/ann/org/gpt', 'USER_MODEL ann:org/gpt', { user: 'ann', model: 'org/gpt' }],
    ['USER_MODEL/ann%3A1/gpt', 'USER_MODEL ann:1:gpt', { user: 'ann:1', model: 'gpt' }],
  ])('is named by the path %s', async (path, label, parts) => {
    const { send } = createTestApp()
    const policy = asDescribed(await send('PUT', `/api/policies/${path}`, { body }), policyResponse, 201)
    expect(policy).toMatchObject({ label, ...parts })
    expect(asDescribed(await send('GET', `/api/policies/${path}`), policyResponse)).toEqual(policy)
    expect((await send('DELETE', `/api/policies/${path}`)).status).toBe(204)
  })

  test('keeps users and models apart whose names run into each other', async () => {
    const { send } = createTestApp()
    await send('PUT', '/api/policies/USER_MODEL/a:b/c', { body })
    await send('PUT', '/api/policies/USER_MODEL/a/b:c', { body: { limits: [{ ...PER_HOUR, limit: 7 }] } })
    const { items } = asDescribed(await send('GET', '/api/policies'), policiesResponse)
    expect(items.map(({ user, model, limits }) => [user, model, limits[0]?.capacity])).toEqual([
      ['a', 'b:c', 7],
      ['a:b', 'c', 10],
    ])
  })

  test.each([
    ['scope', 'PLANET/earth', body],
    ['scope', 'tenant/acme', body],
    ['selector', 'GLOBAL/acme', body],
    ['selector', 'TENANT/a%23b', body],
    ['selector', 'USER_MODEL/ann', body],
    ['limits', 'TENANT/acme', {}],
    ['limits', 'TENANT/acme', { limits: [] }],
    ['limits[0].algorithm', 'TENANT/acme', { limits: [{ ...PER_HOUR, algorithm: 'magic' }] }],
    ['limits[0].limit', 'TENANT/acme', { limits: [{ ...PER_HOUR, limit: 1.5 }] }],
    ['selector', 'TENANT/acme', { ...body, selector: 'acme' }],
  ])('with an invalid %s is rejected: %s', async (field, path, bad) => {
    const { send } = createTestApp()
    expect(await send('PUT', `/api/policies/${path}`, { body: bad })).toMatchObject({
      status: 400,
      body: { error: 'invalid_request', field },
    })
  })

  test('lists the scopes', async () => {
    const { send } = createTestApp()
    for (const method of ['GET', 'DELETE'])
      expect(await send(method, '/api/policies/PLANET/earth')).toMatchObject({
        status: 400,
        body: {
          message:
            'scope must be one of USER_MODEL, SESSION, USER, API_KEY, TENANT, MODEL, MODEL_TIER, GLOBAL',
        },
      })
  })

  test('is listed page by page', async () => {
    const { send } = createTestApp()
    for (const id of ['a', 'b', 'c']) await send('PUT', `/api/policies/TENANT/${id}`, { body })
    const first = asDescribed(await send('GET', '/api/policies?limit=2'), policiesResponse)
    expect(first.items.map(({ selector }) => selector)).toEqual(['a', 'b'])
    const next = await send('GET', `/api/policies?limit=2&cursor=${first.next_cursor}`)
    const second = asDescribed(next, policiesResponse)
    expect(second.items.map(({ selector }) => selector)).toEqual(['c'])
    expect(second.next_cursor).toBeNull()
    expect(await send('GET', '/api/policies?cursor=nonsense')).toMatchObject({ body: { field: 'cursor' } })
  })

  test('can be read by a viewer, and not written', async () => {
    const { send } = createTestApp()
    expect((await send('GET', '/api/policies', { headers: VIEWER })).status).toBe(200)
    const put = await send('PUT', '/api/policies/TENANT/acme', { headers: VIEWER, body })
    expect(put.status).toBe(403)
  })

  test('has an audit record with its author', async () => {
    const { send } = createTestApp()
    await send('PUT', '/api/policies/USER_MODEL/ann/gpt', { body })
    await send('DELETE', '/api/policies/USER_MODEL/ann/gpt')
    const { items } = asDescribed(await send('GET', '/api/audit'), auditResponse)
    const subject = 'POLICY#USER_MODEL#ann#gpt'
    expect(items.toSorted((a, b) => b.action.localeCompare(a.action))).toMatchObject([
      { subject, actor: 'admin', action: 'limits.replace', after: { limits: [{ limit: 10 }] } },
      { subject, actor: 'admin', action: 'limits.delete', after: { limits: [] } },
    ])
  })
})
