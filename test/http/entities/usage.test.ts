import { expect, test } from 'vitest'
import { usageResponse } from '../../../src/contract/history.ts'
import type { UsageQuery } from '../../../src/core/model/usage.ts'
import { asDescribed } from '../as-described.ts'
import { createTestApp } from '../test-app.ts'

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
