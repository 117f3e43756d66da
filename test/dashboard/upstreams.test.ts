import { describe, expect, test } from 'vitest'
import type { Upstream } from '../../dashboard/api/responses.ts'
import { NEW_UPSTREAM, upstreamBody, upstreamDraftOf } from '../../dashboard/defaults/upstream-form.tsx'
import { addressOf, factorText, failureText, restText } from '../../dashboard/defaults/upstreams-section.tsx'
import { momentText } from '../../dashboard/parts/time.ts'

const OPENAI: Upstream = {
  name: 'openai',
  kind: 'openai',
  base_url: 'https://api.openai.com/v1',
  region: null,
  signing_service: null,
  secret: 'env:UPSTREAM_SECRET_OPENAI',
  headers: { 'openai-organization': 'org-1' },
  connect_timeout_seconds: 10,
  first_byte_timeout_seconds: 600,
  idle_timeout_seconds: 30,
  total_timeout_seconds: 900,
  adaptive: { floor: 0.25 },
  created_at: 1,
  source: 'table',
  models: [],
}

const { name: _, created_at: __, source: ___, models: ____, ...SHOWN } = OPENAI

describe('the body of an upstream', () => {
  test('of an unchanged form has all that the upstream has, headers included', () => {
    const { region, signing_service, ...body } = SHOWN
    expect(upstreamBody(upstreamDraftOf(OPENAI), OPENAI)).toEqual(body)
  })

  test('of Bedrock has a region and a service, and no secret', () => {
    const bedrock: Upstream = { ...OPENAI, kind: 'bedrock', base_url: null, secret: null, headers: {} }
    const { secret, ...body } = { ...SHOWN, kind: 'bedrock', base_url: null, headers: {} }
    expect(upstreamBody(upstreamDraftOf(bedrock), bedrock)).toEqual(body)
    const signed = {
      ...NEW_UPSTREAM,
      kind: 'bedrock',
      region: ' eu-central-1',
      signingService: 'bedrock-mantle',
    } as const
    expect(upstreamBody(signed)).toEqual({
      kind: 'bedrock',
      base_url: null,
      region: 'eu-central-1',
      signing_service: 'bedrock-mantle',
      adaptive: null,
    })
  })

  test('of a simulated one has no more than its kind', () => {
    expect(upstreamBody({ ...upstreamDraftOf(OPENAI), kind: 'simulated' }, OPENAI)).toEqual({
      kind: 'simulated',
    })
  })
})

test.each<[fields: Partial<Upstream>, text: string]>([
  [{}, 'https://api.openai.com/v1'],
  [{ kind: 'bedrock', base_url: null, region: 'eu-central-1' }, 'eu-central-1'],
  [{ kind: 'bedrock', base_url: null }, 'the region of zael'],
  [{ kind: 'simulated', base_url: null }, 'answers by itself'],
])('the address of %j is %s', (fields, text) => {
  expect(addressOf({ ...OPENAI, ...fields })).toBe(text)
})

test('a model that rests is shown with the cause and the time left', () => {
  expect(restText('gpt-4', 12, '503')).toBe('gpt-4 after 503, 12 s left')
  expect(restText('gpt-4', 0, '503')).toBe('gpt-4 after 503, tried again at the next request')
  expect(restText('gpt-4', 12, 'connect')).toBe('gpt-4 after a failed connection, 12 s left')
  expect(restText('gpt-4', 12, undefined)).toBe('gpt-4, 12 s left')
})

test('a share of the limits is shown in whole percent, and at least 1', () => {
  expect([0.3575, 0.01, 0.005].map(factorText)).toEqual([
    '35 % of the limits',
    '1 % of the limits',
    '1 % of the limits',
  ])
})

test('a model that has failed is shown with the time and the cause', () => {
  const last_failure = { cause: '503', at: 1_700_000_000 }
  const state = { model: 'gpt-4o', factor: 1, resting: false, rests_until: null, last_failure }
  expect(failureText(state)).toBe(`gpt-4o failed ${momentText(1_700_000_000)}: 503`)
  expect(failureText({ ...state, last_failure: null })).toBe('gpt-4o works')
})
