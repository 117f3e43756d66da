import { describe, expect, test } from 'vitest'
import { availabilityResponse } from '../../../src/contract/dashboard.ts'
import { explainResponse } from '../../../src/contract/limits.ts'
import { SECOND } from '../../core/test-clock.ts'
import { asDescribed } from '../as-described.ts'
import { fakeBackend } from '../model-routes/fake-backend.ts'
import { createTestApp, type TestApp } from '../test-app.ts'

const backend = fakeBackend({ inputTokens: 3 })

/** Refills too slowly to be visible in a test. */
const rpm = (capacity: number) => ({ name: 'rpm', capacity, refill_rate: capacity / 86_400 })

const ADMIN_AS = (entity: string) => ({
  authorization: 'Bearer the-admin-token',
  'x-zael-entity': entity,
})

const send = async (node: TestApp, model = 'gpt-4', entity = 'key') =>
  node.send('POST', '/v1/chat/completions', {
    headers: ADMIN_AS(entity),
    body: { model, max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] },
  })

/** The number admitted out of `times`. */
const admitted = async (node: TestApp, times: number): Promise<number> => {
  let count = 0
  for (let turn = 0; turn < times; turn++) if ((await send(node)).status === 200) count += 1
  return count
}

const put = (node: TestApp, path: string, limits: readonly object[], more: object = {}) =>
  node.send('PUT', path, { body: { ...more, limits } })

const start = async (entity: object = {}): Promise<TestApp> => {
  const node = createTestApp({ backend })
  for (const model of ['gpt-4', 'gpt-4o']) await node.send('PUT', `/api/models/${model}`, { body: {} })
  await node.send('POST', '/api/entities', { body: { entity_id: 'org', name: 'Org' } })
  const body = { entity_id: 'key', name: 'Key', parent_id: 'org', ...entity }
  await node.send('POST', '/api/entities', { body })
  return node
}

describe('a caller without limits of its own', () => {
  test('has those of its role, else of the system, else of the environment', async () => {
    const node = await start({ role: 'user' })
    const capacity = async () => {
      const { body } = await node.send('GET', '/api/limits/key?resource=gpt-4')
      return JSON.stringify(body)
    }
    expect(await capacity()).toContain('"capacity":60')
    await put(node, '/api/defaults', [rpm(4)])
    expect(await admitted(node, 5)).toBe(4)
    await put(node, '/api/defaults?role=user', [rpm(6)])
    expect(await admitted(node, 5)).toBe(2)
    await put(node, '/api/defaults?role=user&resource=gpt-4', [rpm(9)])
    expect(await admitted(node, 5)).toBe(3)
    await put(node, '/api/defaults?role=other', [rpm(50)])
    expect(await admitted(node, 1)).toBe(0)
  })

  test('has those of another role as soon as it has that role', async () => {
    const node = await start({ role: 'user' })
    await put(node, '/api/defaults?role=user', [rpm(1)])
    await put(node, '/api/defaults?role=admin', [rpm(5)])
    expect(await admitted(node, 3)).toBe(1)
    await node.send('PATCH', '/api/entities/key', { body: { role: 'admin' } })
    expect(await admitted(node, 10)).toBe(4)
  })
})

test('an entity that bypasses limits has none, its parents’ included, and its use is counted', async () => {
  const node = await start()
  await put(node, '/api/limits/key', [rpm(1)])
  await put(node, '/api/limits/org', [rpm(1)])
  await node.send('PATCH', '/api/entities/key', { body: { bypass: true } })
  expect(await admitted(node, 4)).toBe(4)
  await node.deps.limiter.flush({ all: true })
  expect((await node.deps.limiter.status('key', 'gpt-4')).used.requests).toBe(4)
  await node.send('PATCH', '/api/entities/key', { body: { bypass: false } })
  expect(await admitted(node, 3)).toBe(1)
})

describe('limits over all resources', () => {
  test('are enforced beside those of each, and named in the denial', async () => {
    const node = await start()
    await put(node, '/api/limits/key', [rpm(2)])
    await put(node, '/api/limits/key', [rpm(3)], { resource: '_total_' })
    const responses = []
    for (const model of ['gpt-4', 'gpt-4o', 'gpt-4', 'gpt-4o']) responses.push(await send(node, model))
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 429])
    expect(responses[3]).toMatchObject({
      body: { violations: [{ entity_id: 'key', resource: '_total_', capacity: 3, available: 0 }] },
    })
  })

  test('may be defaults of the system', async () => {
    const node = await start()
    await put(node, '/api/defaults?resource=_total_', [rpm(1)])
    expect((await send(node, 'gpt-4')).status).toBe(200)
    expect(await send(node, 'gpt-4o')).toMatchObject({
      status: 429,
      body: { violations: [{ resource: '_total_' }] },
    })
  })
})

test('unregistered resource names share one bucket', async () => {
  const node = await start()
  await put(node, '/api/limits/key', [rpm(2)])
  const decide = (resource: string) =>
    node.deps.limiter.decide({ entityId: 'key', resource, cost: { requests: 1 }, settles: false })
  const decisions = [await decide('invented-1'), await decide('invented-2'), await decide('invented-3')]
  expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, false])
  const shown = await node.send('GET', '/api/dashboard/availability/key?resource=invented-4')
  expect(asDescribed(shown, availabilityResponse)).toMatchObject({
    resource: '_other_',
    limits: [
      { name: 'rpm', available: 0 },
      { name: 'tpm', available: 10_000 },
    ],
  })
})

test('an explanation lists the effective limit and the overridden ones of every limit of a request', async () => {
  const node = await start({ role: 'user' })
  await put(node, '/api/limits/key', [rpm(2)])
  await put(node, '/api/defaults?role=user', [rpm(7)])
  await put(node, '/api/limits/key', [rpm(3)], { resource: '_total_' })
  await put(node, '/api/defaults?resource=_total_', [rpm(8)])
  await put(node, '/api/limits/org', [rpm(4)])
  await put(node, '/api/limits/org', [rpm(5)], { resource: 'gpt-4' })
  const explained = asDescribed(
    await node.send('GET', '/api/limits/key/explain?resource=gpt-4'),
    explainResponse,
  )
  const sources = (limits: typeof explained.limits) =>
    limits.map(({ name, winner, overrides }) => [
      name,
      winner.source,
      ...overrides.map((each) => each.source),
    ])
  expect(sources(explained.limits)).toEqual([
    ['rpm', 'entity:_default_', 'role:user:_default_', 'environment'],
    ['tpm', 'environment'],
  ])
  expect(
    explained.also_enforced.map((each) => [each.entity_id, each.resource, ...sources(each.limits)]),
  ).toEqual([
    ['key', '_total_', ['rpm', 'entity:_total_', 'system:_total_']],
    ['org', 'gpt-4', ['rpm', 'entity:gpt-4', 'entity:_default_']],
  ])
})

test('an explanation of a budget lists the models without prices to which it does not apply', async () => {
  const node = await start({ role: 'user' })
  const budget = { name: 'usd', meter: 'cost_usd_micros', limit: 5, per: 'day' }
  await put(node, '/api/limits/key', [rpm(2), budget])
  await put(node, '/api/policies/GLOBAL/*', [budget])
  for (const [id, body] of [
    ['free', {}],
    ['paid', { prices: { input_per_million: 1, output_per_million: 1 } }],
  ] as const)
    await node.send('PUT', `/api/models/${id}`, { body })
  const unpricedIn = async (resource: string) => {
    const explained = await node.send('GET', `/api/limits/key/explain?resource=${resource}`)
    const { limits, also_enforced } = asDescribed(explained, explainResponse)
    return [...limits, ...also_enforced.flatMap((bucket) => bucket.limits)]
      .filter(({ unpriced_models }) => unpriced_models !== undefined)
      .map(({ name, unpriced_models = [] }) => [
        name,
        unpriced_models.includes('free'),
        unpriced_models.includes('paid'),
      ])
  }
  expect(await unpricedIn('free')).toEqual([
    ['usd', true, false],
    ['usd', true, false],
  ])
  expect(await unpricedIn('_default_')).toEqual([
    ['usd', true, false],
    ['usd', true, false],
  ])
  expect(await unpricedIn('paid')).toEqual([])
})

describe('a raised limit helps a denied caller', () => {
  const denied = async () => {
    const first = await start()
    const others = [
      createTestApp({ backend, table: first.table }),
      createTestApp({ backend, table: first.table }),
    ]
    await put(first, '/api/limits/key', [rpm(3)])
    for (const node of [first, ...others]) expect((await send(node)).status).toBe(200)
    for (const node of [first, ...others]) expect((await send(node)).status).toBe(429)
    await put(first, '/api/limits/key', [rpm(9)])
    return { first, others }
  }

  test('within a second on every node, in any order of requests', async () => {
    const { first, others } = await denied()
    // each has just read the configuration, and does so at most once per second
    for (const node of others) expect((await send(node)).status).toBe(429)
    first.clock.advance(SECOND + 1n)
    for (const node of others) expect((await send(node)).status).toBe(200)
  })

  test('at once on the node that raised it, and on nodes that then write to the bucket', async () => {
    const { first, others } = await denied()
    for (const node of [first, ...others]) expect((await send(node)).status).toBe(200)
  })
})
