import { describe, expect, test } from 'vitest'
import { explainResponse } from '../../../src/contract/limits.ts'
import { namedBucketResponse, policiesResponse, policyResponse } from '../../../src/contract/policies.ts'
import { SECOND } from '../../core/test-clock.ts'
import { asDescribed } from '../as-described.ts'
import { VIEWER } from '../test-app.ts'
import { type CheckBody, createMemoryWorld, type PolicyWorld } from './policy-world.ts'

/** A run of an agent: it may make 50 calls and spend 2 dollars. */
const AGENT_RUN = [
  {
    name: 'calls',
    meter: 'requests',
    algorithm: 'fixed_window',
    limit: 50,
    window: 'first_use',
    window_seconds: 86_400,
  },
  {
    name: 'budget',
    meter: 'cost_usd_micros',
    algorithm: 'fixed_window',
    limit: 2_000_000,
    window: 'first_use',
    window_seconds: 86_400,
  },
]

const perDay = (limit: number) => [{ name: 'rpd', algorithm: 'fixed_window', limit, window: 'day' }]

/** A tenant of the demo data, and another one. */
const [TENANT, OTHER] = ['enterprise_co', 'free_co']

const as = (entity: string, headers = {}) => ({ 'x-zael-entity': entity, ...headers })

const createWorld = async () => {
  const world = await createMemoryWorld()
  const put = (path: string, limits: object) =>
    world.send('PUT', `/api/policies/${path}`, { body: { limits } })
  const check = async (body: object, entity = TENANT, headers = {}) =>
    world.send('POST', '/v1/limits/check', { headers: as(entity, headers), body })
  const statuses = async (times: number, body: object, entity = TENANT) => {
    const found: number[] = []
    for (let sent = 0; sent < times; sent++) found.push((await check(body, entity)).status)
    return found
  }
  return { ...world, put, check, statuses }
}

const bucketOf = async ({ send }: Pick<PolicyWorld, 'send'>, path: string) =>
  asDescribed(await send('GET', `/api/policies/${path}`), namedBucketResponse)

const onPolicies = async ({ checks }: Pick<PolicyWorld, 'checks'>, body: CheckBody) => {
  const [only] = await checks(1, body)
  return only
}

describe('a run of an agent', () => {
  test('is stopped after 50 calls, and others go on', async () => {
    const world = await createWorld()
    await world.put('SESSION/*', AGENT_RUN)
    const run = { session: 'run-1', resource: 'gpt-4o-mini' }
    expect(await world.statuses(51, run)).toEqual([...Array.from({ length: 50 }, () => 200), 429])
    const denied = await world.check(run)
    expect(denied.body).toMatchObject({
      allowed: false,
      violations: [{ limit_name: 'calls', entity_id: 'POLICY:SESSION:*', available: 0, capacity: 50 }],
    })
    expect(await world.statuses(2, { ...run, session: 'run-2' })).toEqual([200, 200])
    expect(await world.statuses(2, { resource: 'gpt-4o-mini' })).toEqual([200, 200])
    expect(await world.statuses(1, run, OTHER)).toEqual([200])
    world.clock.advance(86_400n * SECOND)
    expect(await world.statuses(1, run)).toEqual([200])
  })

  test('is stopped after 2 dollars', async () => {
    const world = await createWorld()
    await world.put('SESSION/*', AGENT_RUN)
    const run = { session: 'run-1', cost: { requests: 1, cost_usd_micros: 900_000 } }
    expect(await world.statuses(3, run)).toEqual([200, 200, 429])
    expect((await world.check({ ...run, cost: { requests: 1, cost_usd_micros: 200_000 } })).status).toBe(200)
    expect(await world.statuses(1, { ...run, session: 'run-2' })).toEqual([200])
    expect(await bucketOf(world, `SESSION/${TENANT}/run-1`)).toMatchObject({
      policy: 'SESSION *',
      limits: [
        { name: 'calls', available: 47 },
        { name: 'budget', available: 0, used: 2_000_000 },
      ],
    })
  })

  test('is named in a chat, in its body or a header', async () => {
    const world = await createWorld()
    await world.put('SESSION/*', perDay(2))
    const chat = async (fields = {}, headers = {}) => {
      const messages = [{ role: 'user', content: 'Hello' }]
      const body = { model: 'gpt-4o-mini', messages, max_tokens: 1, ...fields }
      return (await world.send('POST', '/v1/chat/completions', { headers: as(TENANT, headers), body })).status
    }
    expect(await chat({ session: 'run-1' })).toBe(200)
    expect(await chat({}, { 'x-session-id': 'run-1' })).toBe(200)
    expect(await chat({ session: 'run-1' }, { 'x-session-id': 'run-2' })).toBe(429)
    expect(await chat({ session: '' }, { 'x-session-id': 'run-2' })).toBe(200)
    expect(await chat({ session: null })).toBe(200)
    expect(await chat({ session: 7 })).toBe(400)
  })
})

describe('a user', () => {
  test.each([
    [{ safety_identifier: 'ann', user: 'bob' }, {}],
    [{ user: 'ann', metadata: { user_id: 'bob' } }, {}],
    [{ metadata: { user_id: 'ann' } }, { 'x-user-id': 'bob' }],
    [{}, { 'x-user-id': 'ann' }],
  ])('is named by a chat with %j and the headers %j', async (fields, headers) => {
    const world = await createWorld()
    await world.put('USER/*', perDay(5))
    const messages = [{ role: 'user', content: 'Hello' }]
    const body = { model: 'gpt-4o-mini', messages, max_tokens: 1, ...fields }
    await world.send('POST', '/v1/chat/completions', { headers: as(TENANT, headers), body })
    expect((await bucketOf(world, `USER/${TENANT}/ann`)).limits).toMatchObject([{ available: 4 }])
    expect((await bucketOf(world, `USER/${TENANT}/bob`)).limits).toMatchObject([{ available: 5 }])
  })

  test('has the default name of the header in each check of a list', async () => {
    const world = await createWorld()
    await world.put('USER/*', perDay(5))
    await world.check([{}, { user: 'bob' }], TENANT, { 'x-user-id': 'ann' })
    expect((await bucketOf(world, `USER/${TENANT}/ann`)).limits).toMatchObject([{ available: 4 }])
    expect((await bucketOf(world, `USER/${TENANT}/bob`)).limits).toMatchObject([{ available: 4 }])
  })

  test('of any name can be shown and reset, and no other is', async () => {
    const world = await createWorld()
    await world.put('USER/*', perDay(1))
    const name = 'ann/lee #1 @ Köln'
    const path = `USER/${TENANT}/${encodeURIComponent(name)}`
    expect(await world.statuses(2, { user: name })).toEqual([200, 429])
    expect(await world.statuses(2, { user: 'bob' })).toEqual([200, 429])
    expect(await bucketOf(world, path)).toMatchObject({
      scope: 'USER',
      tenant: TENANT,
      name: expect.stringMatching(/^h-[\da-f]{32}$/),
      policy: 'USER *',
      limits: [{ name: 'rpd', capacity: 1, available: 0 }],
    })
    const reset = await world.send('POST', `/api/policies/${path}/reset`)
    expect(asDescribed(reset, namedBucketResponse).limits).toMatchObject([{ available: 1 }])
    expect(await world.statuses(1, { user: 'bob' })).toEqual([429])
    expect(await world.statuses(2, { user: name })).toEqual([200, 429])
  })

  test('that no request names is shown as -', async () => {
    const world = await createWorld()
    await world.put('USER/*', perDay(1))
    expect(await world.statuses(2, {})).toEqual([200, 429])
    expect((await bucketOf(world, `USER/${TENANT}/-`)).limits).toMatchObject([{ available: 0 }])
  })

  test.each([
    [404, 'GET', 'USER/enterprise_co/ann'],
    [404, 'POST', 'USER/enterprise_co/ann/reset'],
    [400, 'GET', 'USER/a%23b/ann'],
    [400, 'PUT', 'USER/enterprise_co/ann'],
    [400, 'PUT', 'USER/-'],
    [400, 'PUT', 'SESSION/a%20b'],
  ])('without a policy, or of an invalid path, is %s for %s %s', async (status, method, path) => {
    const { send } = await createWorld()
    const body = method === 'PUT' ? { limits: perDay(1) } : undefined
    expect((await send(method, `/api/policies/${path}`, { body })).status).toBe(status)
  })

  test('is reset by an administrator only, and shown to viewers', async () => {
    const world = await createWorld()
    await world.put('USER/*', perDay(1))
    const path = `/api/policies/USER/${TENANT}/ann`
    expect((await world.send('GET', path, { headers: VIEWER })).status).toBe(200)
    expect((await world.send('POST', `${path}/reset`, { headers: VIEWER })).status).toBe(403)
  })
})

describe('a policy on users', () => {
  test('can be created, listed, overridden for one user, and deleted', async () => {
    const world = await createWorld()
    const { send } = world
    asDescribed(await world.put('USER/*', perDay(1)), policyResponse, 201)
    asDescribed(await world.put('USER/vip', perDay(3)), policyResponse, 201)
    const { items } = asDescribed(await send('GET', '/api/policies?limit=1000'), policiesResponse)
    const labels = items.map(({ label }) => label)
    expect(labels.filter((label) => label.startsWith('USER '))).toEqual(['USER *', 'USER vip'])
    expect(await world.statuses(4, { user: 'vip' })).toEqual([200, 200, 200, 429])
    expect((await send('DELETE', '/api/policies/USER/vip')).status).toBe(204)
    expect(await world.statuses(2, { user: 'vip' })).toEqual([200, 429])
    expect((await send('DELETE', '/api/policies/USER/*')).status).toBe(204)
    expect(await world.statuses(3, { user: 'vip' })).toEqual([200, 200, 200])
  })

  test('refills the limits of all users when it is reset', async () => {
    const world = await createWorld()
    await world.put('USER/*', perDay(1))
    for (const user of ['ann', 'bob']) expect(await world.statuses(2, { user })).toEqual([200, 429])
    expect((await world.send('POST', '/api/policies/USER/*/reset')).status).toBe(200)
    for (const user of ['ann', 'bob']) expect(await world.statuses(2, { user })).toEqual([200, 429])
    const { items } = asDescribed(await world.send('GET', '/api/policies'), policiesResponse)
    expect(items.find(({ label }) => label === 'USER *')?.limits).toMatchObject(perDay(1))
  })

  test('is primary over the key and below the session, and names the user', async () => {
    const world = await createWorld()
    await world.put('USER/*', perDay(1))
    const body = { userId: 'ann', modelId: 'gpt-4o-mini', tenantId: TENANT }
    const allowed = await world.checks(1, body)
    expect(allowed).toMatchObject([{ allowed: true, primary: { label: 'USER *', count: 1, limit: 1 } }])
    expect(await onPolicies(world, body)).toMatchObject({
      allowed: false,
      primary: { label: 'USER *', count: 2, limit: 1, percent: 100 },
      cause: expect.stringMatching(/^USER exceeded: 2\/1 .* \(key=USER:enterprise_co:ann\)$/),
    })
    await world.put('SESSION/*', perDay(1))
    await world.send('POST', '/api/policies/USER/*/reset')
    const inSession = { ...body, sessionId: 'run-1' }
    expect(await onPolicies(world, inSession)).toMatchObject({ primary: { label: 'SESSION *' } })
    expect(await onPolicies(world, inSession)).toMatchObject({
      primary: { label: 'SESSION *' },
      cause: expect.stringMatching(/key=SESSION:enterprise_co:run-1\); also violated: USER \(2\/1\)/),
    })
  })

  test('is explained for the user and the session of a request', async () => {
    const world = await createWorld()
    await world.put('USER/*', perDay(1))
    await world.put('USER/vip', perDay(3))
    const explained = async (query: string) => {
      const path = `/api/limits/${TENANT}/explain?resource=gpt-4o-mini${query}`
      const { also_enforced } = asDescribed(await world.send('GET', path), explainResponse)
      return also_enforced.map(({ entity_id }) => entity_id).filter((id) => id.startsWith('POLICY:USER:'))
    }
    expect(await explained('')).toEqual(['POLICY:USER:*'])
    expect(await explained('&user=vip')).toEqual(['POLICY:USER:vip'])
  })
})
