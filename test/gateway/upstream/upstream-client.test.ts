import { describe, expect, test } from 'vitest'
import type { Upstream } from '../../../src/core/model/upstream.ts'
import type { ModelCall } from '../../../src/core/ports/model-backend.ts'
import { passedResponseHeaders } from '../../../src/gateway/upstream/passed-headers.ts'
import { anAnswer, json, startUpstream } from '../scripted-upstream.ts'
import { aCall, anUpstream, createTestGateway, shown } from '../test-gateway.ts'

/** The headers that an upstream receives. */
const sentHeaders = async (upstream: Partial<Upstream>, call: Partial<ModelCall> = {}) => {
  const { baseUrl, origin, received } = await startUpstream(json(200, anAnswer('Hi')))
  const at = upstream.kind === 'openai' || upstream.kind === undefined ? baseUrl : origin
  const { gateway } = createTestGateway([anUpstream({ baseUrl: at, ...upstream })])
  await gateway.call(aCall(call))
  return received[0]?.headers
}

const MESSAGES: Partial<ModelCall> = {
  api: 'messages',
  body: { messages: [], max_tokens: 1 },
  outputBound: null,
}

describe('an upstream receives', () => {
  test("zael's own key, in the form of its kind", async () => {
    const secret = 'env:UPSTREAM_SECRET_A'
    expect(await sentHeaders({ secret })).toMatchObject({ authorization: `Bearer value of ${secret}` })
    const anthropic = await sentHeaders({ kind: 'anthropic', secret }, MESSAGES)
    expect(anthropic).toMatchObject({ 'x-api-key': `value of ${secret}`, 'anthropic-version': '2023-06-01' })
    expect(anthropic).not.toHaveProperty('authorization')
    const bedrock = await sentHeaders({ kind: 'bedrock', secret })
    expect(bedrock).toMatchObject({ authorization: `Bearer value of ${secret}` })
    expect(await sentHeaders({ kind: 'bedrock' })).toMatchObject({ authorization: 'signed' })
    expect(await sentHeaders({})).not.toHaveProperty('authorization')
  })

  test("never a client's credentials", async () => {
    const names = ['authorization', 'x-api-key', 'api-key', 'cookie', 'proxy-authorization']
    const headers = await sentHeaders({}, { headers: Object.fromEntries(names.map((name) => [name, 'x'])) })
    for (const name of names) expect(headers).not.toHaveProperty(name)
  })

  test("the client's headers, those that it is configured with, and last those of zael", async () => {
    const client = {
      'anthropic-version': '2024-01-01',
      'anthropic-beta': 'a',
      traceparent: '00-1',
      accept: 'x/y',
      'accept-encoding': 'gzip',
      'x-request-id': 'theirs',
    }
    const configured = {
      'anthropic-beta': 'b',
      'openai-organization': 'org',
      'accept-encoding': 'br',
      traceparent: '00-2',
    }
    expect(await sentHeaders({ headers: configured }, { headers: client })).toMatchObject({
      'anthropic-version': '2024-01-01',
      'anthropic-beta': 'a,b',
      traceparent: '00-2',
      'openai-organization': 'org',
      accept: 'application/json',
      'accept-encoding': 'identity',
      'x-request-id': 'req_1',
      'content-type': 'application/json',
      'user-agent': 'zael',
    })
  })
})

test('a secret that cannot be read makes the upstream unavailable, and rests it as no caller could', async () => {
  const { baseUrl } = await startUpstream(json(200, anAnswer('Hi')))
  const { gateway, log } = createTestGateway([anUpstream({ baseUrl, secret: 'env:UPSTREAM_SECRET_A' })], {
    secrets: { read: () => Promise.reject(new Error('UPSTREAM_SECRET_A is not set')) },
  })
  for (let i = 0; i < 3; i++) {
    expect(shown(await gateway.call(aCall()))).toMatchObject({
      status: 502,
      code: 'upstream_unavailable',
      message: 'The credentials of the upstream default cannot be read',
      charge: { of: 'nothing' },
    })
  }
  expect(log[0]?.fields).toMatchObject({ upstream: 'default', cause: 'credentials', requestId: 'req_1' })
  expect(gateway.upstreamStates()[0]?.restsUntil).not.toBeNull()
})

describe('of the response headers', () => {
  const ALL = {
    'content-type': 'application/json',
    'content-length': '3',
    'set-cookie': 'a=b',
    server: 'x',
    'openai-organization': 'org',
    'openai-project': 'proj',
    'openai-processing-ms': '12',
    'openai-version': '2020-10-01',
    'anthropic-organization-id': 'org',
    'anthropic-ratelimit-requests-limit': '1',
    'x-ratelimit-limit-requests': '1',
    'x-request-id': 'req_upstream',
    'request-id': 'req_other',
    'retry-after': '1',
    'x-should-retry': 'false',
    'x-amzn-bedrock-invocation-latency': '5',
  }

  test('those of the list pass, and waits with errors only', () => {
    const passed = {
      'openai-processing-ms': '12',
      'openai-version': '2020-10-01',
      'x-upstream-request-id': 'req_upstream',
      'x-amzn-bedrock-invocation-latency': '5',
    }
    expect(passedResponseHeaders(ALL, false)).toEqual(passed)
    expect(passedResponseHeaders(ALL, true)).toEqual({
      ...passed,
      'retry-after': '1',
      'x-should-retry': 'false',
    })
  })

  test('those that no server can send do not pass', () => {
    expect(passedResponseHeaders({ 'openai-version': 'a\u0001b', 'x-request-id': 'ü' }, false)).toEqual({
      'x-upstream-request-id': 'ü',
    })
  })
})
