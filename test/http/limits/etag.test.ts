import { describe, expect, test } from 'vitest'
import { ADMIN, createTestApp } from '../test-app.ts'

const RPM = { name: 'rpm', capacity: 10, refill_rate: 1 }

const LIMITS = { limits: [RPM] }

const withOrg = async () => {
  const app = createTestApp()
  await app.send('POST', '/api/entities', { body: { entity_id: 'org', name: 'Org' } })
  const conditional = (
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: object,
  ) => app.send(method, path, { headers: { ...ADMIN, ...headers }, ...(body && { body }) })
  const etag = async (path: string) => (await app.send('GET', path)).headers.get('etag') ?? 'none'
  return { ...app, conditional, etag }
}

/** A path, and one at which there are no limits yet. */
const SETS = [
  ['limits of an entity', '/api/limits/org'],
  ['limits on a resource', '/api/limits/org?resource=gpt-4'],
  ['system defaults', '/api/defaults'],
  ['defaults of a role on a resource', '/api/defaults?role=user&resource=gpt-4'],
  ['a policy', '/api/policies/TENANT/acme'],
] as const

describe.each(SETS)('the ETag of %s', (_, path) => {
  test('is strong, changes with every change, and is that of the stored set', async () => {
    const { send, etag } = await withOrg()
    const first = await send('PUT', path, { body: LIMITS })
    const tag = first.headers.get('etag')
    expect(tag).toMatch(/^"\d+"$/)
    expect(await etag(path)).toBe(tag)
    const second = await send('PUT', path, { body: LIMITS })
    expect(second.headers.get('etag')).not.toBe(tag)
    expect(await etag(path)).toBe(second.headers.get('etag'))
  })

  test('refuses an edit that is based on another version, and allows one on the present version', async () => {
    const { send, conditional, etag } = await withOrg()
    await send('PUT', path, { body: LIMITS })
    const read = await etag(path)
    const theirs = await send('PUT', path, { body: { limits: [{ ...RPM, capacity: 20 }] } })
    expect(await conditional('PUT', path, { 'if-match': read }, LIMITS)).toMatchObject({
      status: 412,
      body: { error: 'precondition_failed', message: expect.stringContaining('If-Match') },
    })
    expect((await send('GET', path)).body).toMatchObject({
      limits: expect.arrayContaining([expect.objectContaining({ capacity: 20 })]),
    })
    const present = theirs.headers.get('etag') ?? ''
    expect(await etag(path)).toBe(present)
    expect((await conditional('PUT', path, { 'if-match': `"1", ${present}` }, LIMITS)).status).toBe(200)
  })

  test('is compared strongly; a malformed list matches nothing', async () => {
    const { send, conditional, etag } = await withOrg()
    await send('PUT', path, { body: LIMITS })
    const read = await etag(path)
    const lists = [`W/${read}`, read.slice(1, -1), `${read}, abc`, `*, ${read}`, '""', '"a,b"', 'W/', ',', '']
    for (const list of lists)
      expect({ list, ...(await conditional('PUT', path, { 'if-match': list }, LIMITS)) }).toMatchObject({
        list,
        status: 412,
      })
    expect(await etag(path)).toBe(read)
  })

  test('with * requires that there are limits, or that there are none', async () => {
    const { send, conditional } = await withOrg()
    expect((await conditional('PUT', path, { 'if-match': '*' }, LIMITS)).status).toBe(412)
    expect((await conditional('PUT', path, { 'if-none-match': '*' }, LIMITS)).status).toBeLessThan(300)
    expect((await conditional('PUT', path, { 'if-none-match': '*' }, LIMITS)).status).toBe(412)
    expect((await conditional('PUT', path, { 'if-match': ' * ' }, LIMITS)).status).toBe(200)
    const present = (await send('PUT', path, { body: LIMITS })).headers.get('etag')
    expect((await conditional('PUT', path, { 'if-none-match': `W/${present}` }, LIMITS)).status).toBe(412)
    expect((await conditional('PUT', path, { 'if-none-match': '"1", nonsense' }, LIMITS)).status).toBe(200)
  })
})

describe.each(SETS.filter(([, path]) => !path.startsWith('/api/defaults')))('deleting %s', (_, path) => {
  test('is refused if they have changed, and returns the tag of what remains', async () => {
    const { send, conditional, etag } = await withOrg()
    await send('PUT', path, { body: LIMITS })
    const read = await etag(path)
    await send('PUT', path, { body: LIMITS })
    expect((await conditional('DELETE', path, { 'if-match': read })).status).toBe(412)
    const deleted = await conditional('DELETE', path, { 'if-match': await etag(path) })
    expect(deleted.status).toBe(204)
    const left = deleted.headers.get('etag') ?? ''
    expect(left).toMatch(/^"\d+"$/)
    expect((await conditional('PUT', path, { 'if-match': read }, LIMITS)).status).toBe(412)
    expect((await conditional('PUT', path, { 'if-match': left }, LIMITS)).status).toBeLessThan(300)
  })
})

describe('a conditional change', () => {
  test('of limits that were never set is based on the tag of none', async () => {
    const { conditional, etag } = await withOrg()
    const none = await etag('/api/limits/org?resource=search')
    expect(none).toBe('"0"')
    const path = '/api/limits/org?resource=search'
    expect((await conditional('PUT', path, { 'if-match': none }, LIMITS)).status).toBe(200)
    expect((await conditional('PUT', path, { 'if-match': none }, LIMITS)).status).toBe(412)
  })

  test('is checked again if another change comes between its read and its write', async () => {
    const { send, conditional, etag, store } = await withOrg()
    await send('PUT', '/api/limits/org', { body: LIMITS })
    const read = await etag('/api/limits/org')
    const { putLimitSet } = store
    let others = 0
    store.putLimitSet = async (...put) => {
      if (others++ === 0)
        await send('PUT', '/api/limits/org', { body: { limits: [{ ...RPM, capacity: 20 }] } })
      return putLimitSet(...put)
    }
    expect((await conditional('PUT', '/api/limits/org', { 'if-match': read }, LIMITS)).status).toBe(412)
    expect((await send('GET', '/api/limits/org')).body).toMatchObject({
      limits: expect.arrayContaining([expect.objectContaining({ name: 'rpm', capacity: 20 })]),
    })
  })

  test('of a policy that has changed leaves its bucket unchanged', async () => {
    const { send, conditional } = await withOrg()
    const path = '/api/policies/GLOBAL/*'
    expect((await conditional('PUT', path, { 'if-match': '"1"' }, LIMITS)).status).toBe(412)
    expect((await send('GET', path)).status).toBe(404)
    expect((await conditional('DELETE', path, { 'if-match': '"1"' })).status).toBe(404)
  })

  test('with invalid limits is a 400, whatever its condition', async () => {
    const { conditional } = await withOrg()
    const invalid = { limits: [{ ...RPM, capacity: -1 }] }
    expect((await conditional('PUT', '/api/limits/org', { 'if-match': '"1"' }, invalid)).status).toBe(400)
  })

  test('can be made from another origin, which sees the tag', async () => {
    const { send } = createTestApp({ settings: { corsOrigins: ['https://admin.example'] } })
    const { headers } = await send('GET', '/api/defaults', {
      headers: { ...ADMIN, origin: 'https://admin.example' },
    })
    expect(headers.get('access-control-expose-headers')).toContain('etag')
  })
})

const UPSTREAM = { kind: 'simulated' }

const ALERT = { sns_topic_arn: 'arn:aws:sns:eu-central-1:123456789012:alerts' }

/** An item, the method that changes it, and two bodies. */
const ITEMS = [
  ['an entity', '/api/entities/org', 'PATCH', { name: 'A' }, { name: 'B' }],
  ['a model', '/api/models/org/m', 'PUT', { tier: 'a' }, { tier: 'b' }],
  ['an upstream', '/api/upstreams/u', 'PUT', UPSTREAM, { ...UPSTREAM, total_timeout_seconds: 5 }],
  ['an alert', '/api/alerts/a', 'PUT', ALERT, { ...ALERT, shares: [1] }],
] as const

describe.each(ITEMS)('the ETag of %s', (_, path, method, body, other) => {
  test('changes with every change, and is that of the stored item', async () => {
    const { send, etag } = await withOrg()
    const tag = (await send(method, path, { body })).headers.get('etag')
    expect(tag).toMatch(/^"[1-9]\d*"$/)
    expect(await etag(path)).toBe(tag)
    const next = (await send(method, path, { body })).headers.get('etag')
    expect(next).not.toBe(tag)
    expect(await etag(path)).toBe(next)
  })

  test('refuses a change and a deletion that are based on another version', async () => {
    const { send, conditional, etag } = await withOrg()
    await send(method, path, { body })
    const stale = { 'if-match': await etag(path) }
    await send(method, path, { body: other })
    const theirs = await send('GET', path)
    const refusal = { status: 412, body: { error: 'precondition_failed' } }
    expect(await conditional(method, path, stale, body)).toMatchObject(refusal)
    expect(await conditional('DELETE', path, stale)).toMatchObject(refusal)
    expect((await send('GET', path)).body).toEqual(theirs.body)
    const present = { 'if-match': await etag(path) }
    expect((await conditional(method, path, present, body)).status).toBe(200)
    expect((await conditional('DELETE', path, { 'if-match': await etag(path) })).status).toBe(204)
    expect((await send('GET', path)).status).toBe(404)
  })
})

test.each(ITEMS.slice(1))('%s is created only once with If-None-Match: *', async (_, path, method, body) => {
  const { conditional } = await withOrg()
  expect((await conditional(method, path, { 'if-match': '*' }, body)).status).toBe(412)
  expect((await conditional(method, path, { 'if-none-match': '*' }, body)).status).toBe(201)
  expect((await conditional(method, path, { 'if-none-match': '*' }, body)).status).toBe(412)
  expect((await conditional(method, path, { 'if-match': '*' }, body)).status).toBe(200)
})

test('the response to a new entity has its ETag', async () => {
  const { send, etag } = await withOrg()
  const created = await send('POST', '/api/entities', { body: { entity_id: 'e', name: 'E' } })
  expect(created.headers.get('etag')).toBe(await etag('/api/entities/e'))
})
