import { expect, test } from 'vitest'
import type { Limit, Model } from '../../dashboard/api/responses.ts'
import { knownRoles, onResourceText, ownLimits } from '../../dashboard/defaults/defaults.tsx'
import {
  hasPrices,
  modelBody,
  modelDraftOf,
  NEW_MODEL,
  pricesText,
} from '../../dashboard/defaults/model-form.tsx'

test('lists the usual roles, those of entities and added ones', () => {
  expect(knownRoles()).toEqual(['admin', 'service', 'user'])
  expect(knownRoles(['user', null, 'intern'], ['auditor'])).toEqual([
    'admin',
    'auditor',
    'intern',
    'service',
    'user',
  ])
})

test('separates limits that are set from those of the environment', () => {
  const limit = (name: string, source: string): Limit => ({
    name,
    meter: 'requests',
    algorithm: 'token_bucket',
    capacity: 10,
    refill_rate: 1,
    source,
  })
  const set = limit('rpm', 'system:_default_')
  expect(ownLimits({ limits: [set, limit('tpm', 'environment')] })).toEqual([set])
})

test.each([
  ['_default_', 'for each resource'],
  ['gpt-4', 'on gpt-4'],
])('describes the resource %s as %s', (resource, text) => {
  expect(onResourceText(resource)).toBe(text)
})

const prices = { input_per_million: 2.5, output_per_million: 10, cached_input_per_million: 1.25 }
const long_context = { above_tokens: 200_000, input_per_million: 5, output_per_million: 15 }
const routing = { upstreams: [{ upstream: 'openai', model: null }], max_output_tokens: 8192 }
const model = { model_id: 'gpt-4o', tier: 'premium', prices, ...routing, created_at: 1 }

test('sends an unchanged model as it was', () => {
  const unchanged = (current: Model) => modelBody(modelDraftOf(current), current)
  expect(unchanged(model)).toEqual({ tier: 'premium', prices, ...routing })
  const { cached_input_per_million: _, ...two } = prices
  for (const other of [two, { ...two, cache_write_per_million: 3, long_context }]) {
    expect(unchanged({ ...model, prices: other })).toEqual({ tier: 'premium', prices: other, ...routing })
  }
  expect(modelBody(NEW_MODEL)).toEqual({ tier: null, prices: null })
})

test('requires prices once one is given, including 0', () => {
  expect(hasPrices(NEW_MODEL)).toBe(false)
  expect(hasPrices({ ...NEW_MODEL, output: '0' })).toBe(true)
})

test.each([
  [null, 'no prices'],
  [prices, '$2.50 in, $1.25 cached, $10.00 out'],
  [{ input_per_million: 0, output_per_million: 0.000_125 }, '$0.00 in, $0.000125 out'],
])('formats prices %o as %s', (given, text) => {
  expect(pricesText(given)).toBe(text)
})
