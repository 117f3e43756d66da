import { describe, expect, test } from 'vitest'
import type { Upstream } from '../../dashboard/api/responses.ts'
import { NEW_UPSTREAM, upstreamBody, upstreamDraftOf } from '../../dashboard/defaults/upstream-form.tsx'
import { addressOf, stateTexts } from '../../dashboard/defaults/upstreams-section.tsx'
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

test('the state names each model that rests or has failed, and the cause', () => {
  expect(stateTexts(OPENAI)).toEqual(['no failures lately'])
  const last_failure = { cause: '503', at: 1_700_000_000 }
  const models = [
    { model: 'gpt-4', resting: true, rests_until: 1_700_000_030, last_failure },
    { model: 'gpt-4o', resting: false, rests_until: null, last_failure },
  ]
  expect(stateTexts({ ...OPENAI, models })).toEqual([
    `gpt-4 rests until ${momentText(1_700_000_030)}: 503`,
    `gpt-4o failed ${momentText(1_700_000_000)}: 503`,
  ])
})
