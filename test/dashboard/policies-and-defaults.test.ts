import { describe, expect, test } from 'vitest'
import type { Limit, Model, Policy } from '../../dashboard/api/responses.ts'
import { knownRoles, onResourceText, ownLimits } from '../../dashboard/defaults/defaults.tsx'
import { modelBody, modelDraftOf, NEW_MODEL } from '../../dashboard/defaults/model-form.tsx'
import { hasPrices, pricesText, weightsText } from '../../dashboard/defaults/model-prices.ts'
import { keyOf, keyText, policyPath } from '../../dashboard/parts/policy-key.ts'
import { draftedKey, NEW_KEY } from '../../dashboard/policies/new-policy.tsx'
import { groupPolicies } from '../../dashboard/policies/scope-card.tsx'

describe('policies', () => {
  const policy = (scope: Policy['scope'], selector: string, more: Partial<Policy> = {}): Policy => ({
    label: `${scope} ${selector}`,
    scope,
    selector,
    limits: [
      {
        name: 'rph',
        meter: 'requests',
        algorithm: 'sliding_window',
        capacity: 10,
        source: `policy:${scope}`,
      },
    ],
    ...more,
  })

  const ALL = [
    policy('GLOBAL', '*'),
    policy('USER', '*'),
    policy('USER', 'eve'),
    policy('TENANT', 'free_co'),
    policy('TENANT', 'Acme'),
    policy('USER_MODEL', 'eve:gpt-4o', { user: 'eve', model: 'gpt-4o' }),
  ]

  const shown = (search: string) =>
    groupPolicies(ALL, search).map(({ scope, policies }) => [scope, ...policies.map((each) => each.selector)])

  test('groups policies by scope, the most specific first, including empty scopes', () => {
    expect(shown('')).toEqual([
      ['USER_MODEL', 'eve:gpt-4o'],
      ['SESSION'],
      ['USER', '*', 'eve'],
      ['API_KEY'],
      ['TENANT', 'free_co', 'Acme'],
      ['MODEL'],
      ['MODEL_TIER'],
      ['GLOBAL', '*'],
    ])
  })

  test.each([
    ['acme', [['TENANT', 'Acme']]],
    [' tenant ', [['TENANT', 'free_co', 'Acme']]],
    ['gpt-4', [['USER_MODEL', 'eve:gpt-4o']]],
    ['nobody', []],
  ])('finds %j', (search, found) => {
    expect(shown(search)).toEqual(found)
  })

  test('finds policies by the names of their limits', () => {
    expect(shown('rph').length).toBe(4)
  })

  test.each([
    [{ scope: 'GLOBAL' }, 'api/policies/GLOBAL/*'],
    [{ scope: 'TENANT', entity: ' acme ' }, 'api/policies/TENANT/acme'],
    [{ scope: 'USER' }, 'api/policies/USER/*'],
    [{ scope: 'SESSION', name: ' run:7 ' }, 'api/policies/SESSION/run%3A7'],
    [{ scope: 'API_KEY', entity: 'key-bob' }, 'api/policies/API_KEY/key-bob'],
    [{ scope: 'MODEL', model: 'openai/o1' }, 'api/policies/MODEL/openai%2Fo1'],
    [{ scope: 'MODEL_TIER', tier: 'premium' }, 'api/policies/MODEL_TIER/premium'],
    [{ scope: 'USER_MODEL', user: 'eve', model: 'openai/o1' }, 'api/policies/USER_MODEL/eve/openai%2Fo1'],
  ] as const)('keeps %o at its path', (typed, path) => {
    expect(policyPath(draftedKey({ ...NEW_KEY, ...typed }))).toBe(path)
  })

  test('names a policy as the API does', () => {
    for (const each of ALL) expect(keyText(keyOf(each))).toBe(each.label)
  })
})

describe('defaults', () => {
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
  const model = {
    ...{ model_id: 'gpt-4o', tier: 'premium', prices, token_weights: null },
    ...routing,
    created_at: 1,
  }

  test('sends an unchanged model as it was', () => {
    const unchanged = (current: Model) => modelBody(modelDraftOf(current))
    const rest = { tier: 'premium', token_weights: null, ...routing }
    expect(unchanged(model)).toEqual({ ...rest, prices })
    const { cached_input_per_million: _, ...two } = prices
    const service_tiers = {
      flex: { ...two, cached_input_per_million: 0 },
      priority: { ...two, long_context },
    }
    const others = { cache_write_per_million: 3, cache_write_1h_per_million: 5, long_context }
    for (const other of [
      two,
      { ...two, ...others, service_tiers, per_image: 0.04, per_audio_second: 0.0001 },
    ])
      expect(unchanged({ ...model, prices: other })).toEqual({ ...rest, prices: other })
    const token_weights = { output: 5, cached_input: 0 }
    expect(unchanged({ ...model, token_weights })).toMatchObject({ token_weights })
    expect(modelBody(NEW_MODEL)).toEqual({ tier: null, prices: null, token_weights: null, upstreams: [] })
  })

  test('sends prices and weights that are typed, and drops those that are emptied', () => {
    const draft = modelDraftOf({ ...model, prices: { ...prices, long_context } })
    const emptied = { 'long_context.above_tokens': '', 'long_context.input_per_million': ' ' }
    const changed = {
      ...draft.prices,
      ...emptied,
      'long_context.output_per_million': '',
      'service_tiers.priority.input_per_million': '5',
      per_image: '0.04',
    }
    expect(modelBody({ ...draft, prices: changed, weights: { output: '5' } })).toMatchObject({
      prices: { ...prices, service_tiers: { priority: { input_per_million: 5 } }, per_image: 0.04 },
      token_weights: { output: 5 },
    })
    expect(modelBody({ ...draft, prices: changed }).prices).not.toHaveProperty('long_context')
  })

  test.each([
    [null, undefined],
    [{ output: 1 }, undefined],
    [{ output: 5, cached_input: 0 }, 'output × 5, cached input × 0'],
  ])('describes the weights %j as %s', (weights, text) => {
    expect(weightsText(weights)).toBe(text)
  })

  test('sends the upstreams of a model in their order, and its bound', () => {
    const upstreams = [
      { key: 2, upstream: ' bedrock ', model: 'eu.claude ' },
      { key: 1, upstream: 'openai', model: '' },
    ]
    expect(modelBody({ ...NEW_MODEL, upstreams, maxOutput: '8192' })).toMatchObject({
      upstreams: [
        { upstream: 'bedrock', model: 'eu.claude' },
        { upstream: 'openai', model: null },
      ],
      max_output_tokens: 8192,
    })
  })

  test('requires prices once one is given, including 0', () => {
    expect(hasPrices(NEW_MODEL.prices)).toBe(false)
    expect(hasPrices({ output_per_million: '0' })).toBe(true)
  })

  test.each([
    [null, 'no prices: budgets do not apply'],
    [prices, '$2.50 in, $1.25 cached, $10.00 out'],
    [{ input_per_million: 0, output_per_million: 0.000_125 }, '$0.00 in, $0.000125 out'],
    [
      { ...prices, long_context, service_tiers: { flex: prices }, per_image: 0.04 },
      '$2.50 in, $1.25 cached, $10.00 out; long context, flex, $0.04 an image',
    ],
  ])('formats prices %o as %s', (given, text) => {
    expect(pricesText(given)).toBe(text)
  })
})
