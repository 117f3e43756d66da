import { describe, expect, test } from 'vitest'
import { upstreamResponse, upstreamsResponse } from '../../../src/contract/upstreams.ts'
import type { Upstream } from '../../../src/core/model/upstream.ts'
import { SecretUnreadable, type UpstreamState } from '../../../src/core/ports/upstreams.ts'
import { anUpstream } from '../../store/store-fixtures.ts'
import { asDescribed } from '../as-described.ts'
import { createTestApp, VIEWER } from '../test-app.ts'

const OPENAI = { kind: 'openai', base_url: 'https://api.openai.com/v1', secret: 'env:UPSTREAM_SECRET_OPENAI' }

const PATH = '/api/upstreams/openai'

describe('an upstream', () => {
  test('is created, replaced, listed and removed', async () => {
    const { send } = createTestApp()
    const headers = { 'OpenAI-Organization': 'org-1' }
    const created = asDescribed(
      await send('PUT', PATH, { body: { ...OPENAI, headers, idle_timeout_seconds: 30 } }),
      upstreamResponse,
      201,
    )
    expect(created).toEqual({
      name: 'openai',
      ...OPENAI,
      region: null,
      signing_service: null,
      headers: { 'openai-organization': 'org-1' },
      connect_timeout_seconds: 10,
      first_byte_timeout_seconds: 600,
      idle_timeout_seconds: 30,
      total_timeout_seconds: 900,
      adaptive: null,
      created_at: created.created_at,
      source: 'table',
      models: [],
    })
    const replaced = asDescribed(await send('PUT', PATH, { body: OPENAI }), upstreamResponse)
    expect(replaced).toEqual({ ...created, headers: {}, idle_timeout_seconds: 120 })
    expect(asDescribed(await send('GET', PATH), upstreamResponse)).toEqual(replaced)
    expect(asDescribed(await send('GET', '/api/upstreams'), upstreamsResponse)).toEqual({
      items: [replaced],
      next_cursor: null,
    })
    expect((await send('DELETE', PATH)).status).toBe(204)
    expect((await send('DELETE', PATH)).status).toBe(404)
    expect((await send('GET', PATH)).status).toBe(404)
  })

  test('is adaptive if it is set so, with a floor of 0.1', async () => {
    const { send } = createTestApp()
    for (const [given, shown] of [
      [{}, { floor: 0.1 }],
      [{ floor: 0.25 }, { floor: 0.25 }],
      [null, null],
    ]) {
      await send('PUT', PATH, { body: { ...OPENAI, adaptive: given } })
      expect(asDescribed(await send('GET', PATH), upstreamResponse).adaptive).toEqual(shown)
    }
  })

  test.each([
    { kind: 'openai', base_url: 'http://localhost:8000/openai/v1', secret: null },
    { kind: 'openai', base_url: 'https://api.example.com/' },
    { kind: 'anthropic', base_url: 'https://api.anthropic.com/', secret: 'env:UPSTREAM_API_KEY' },
    { kind: 'bedrock' },
    { kind: 'bedrock', region: 'us-gov-west-1', signing_service: 'bedrock-mantle', base_url: null },
    { kind: 'bedrock', base_url: 'https://vpce-1.bedrock-runtime.eu-central-1.vpce.amazonaws.com/' },
    { kind: 'simulated' },
  ])('may be %j', async (body) => {
    const created = await createTestApp().send('PUT', '/api/upstreams/a', { body })
    expect(asDescribed(created, upstreamResponse, 201)).toMatchObject(body)
  })

  test('is replaced as a whole, so PUT requires a body', async () => {
    expect(await createTestApp().send('PUT', PATH)).toMatchObject({ status: 400, body: { field: 'body' } })
  })

  test('is read by viewers, and changed by admins only', async () => {
    const { send } = createTestApp()
    await send('PUT', PATH, { body: OPENAI })
    expect((await send('GET', PATH, { headers: VIEWER })).status).toBe(200)
    expect((await send('PUT', PATH, { headers: VIEWER, body: OPENAI })).status).toBe(403)
    expect((await send('DELETE', PATH, { headers: VIEWER })).status).toBe(403)
    expect((await send('GET', PATH, { headers: {} })).status).toBe(401)
  })

  test('leaves audit records that contain the reference of its secret', async () => {
    const { send, clock } = createTestApp()
    await send('PUT', PATH, { body: OPENAI })
    clock.advance(1n)
    await send('DELETE', PATH)
    const { body } = await send('GET', '/api/audit')
    expect(body).toMatchObject({
      items: [
        { action: 'upstream.delete', actor: 'admin', before: OPENAI, after: null },
        { action: 'upstream.put', actor: 'admin', before: null, after: OPENAI },
      ],
    })
  })
})

const openai = (fields: object) => ({ ...OPENAI, ...fields })

const bedrock = (fields: object) => ({ kind: 'bedrock', ...fields })

describe('a body is rejected', () => {
  test.each<[field: string, body: object, text: RegExp]>([
    ['kind', { kind: 'azure' }, /openai, anthropic, bedrock, simulated/],
    ['kind', {}, /given/],
    ['api_key', openai({ api_key: 'sk-s3cret' }), /not known/],
    ['base_url', { kind: 'openai' }, /https:\/\/api\.openai\.com\/v1/],
    ['base_url', { kind: 'anthropic' }, /https:\/\/api\.anthropic\.com/],
    ['base_url', openai({ base_url: 'api.openai.com/v1' }), /URL/],
    ['base_url', openai({ base_url: 'file:///etc/passwd' }), /http:\/\/ or https:\/\//],
    ['base_url', openai({ base_url: 'https://a.example /v1' }), /ASCII/],
    ['base_url', openai({ base_url: 'https://sk:s3cret@a.example/v1' }), /user name or password/],
    ['base_url', openai({ base_url: 'https://a.example/v1?key=s3cret' }), /query/],
    ['base_url', openai({ base_url: 'https://a.example/v1?' }), /query/],
    ['base_url', openai({ base_url: 'https://a.example/v1#' }), /fragment/],
    ['base_url', openai({ base_url: 'https://a.example/v1/chat/completions' }), /route/],
    ['base_url', openai({ base_url: 'https://a.example/v1/responses/' }), /route/],
    ['base_url', { kind: 'anthropic', base_url: 'https://a.example/v1/messages' }, /route/],
    ['base_url', openai({ base_url: 'https://api.openai.com' }), /\/v1/],
    ['base_url', { kind: 'anthropic', base_url: 'https://api.anthropic.com/v1/' }, /\/v1/],
    ['base_url', bedrock({ base_url: 'https://a.example/openai/v1' }), /\/v1/],
    ['base_url', bedrock({ base_url: 'https://a.example/openai/' }), /\/openai/],
    ['base_url', { kind: 'simulated', base_url: 'https://a.example/v1' }, /simulated/],
    ['region', bedrock({ region: 'evil.example/' }), /region/],
    ['region', openai({ region: 'us-east-1' }), /openai/],
    ['signing_service', bedrock({ signing_service: 's3' }), /bedrock, bedrock-mantle/],
    ['secret', bedrock({ secret: 'env:UPSTREAM_API_KEY' }), /credentials of the process/],
    ['headers', openai({ headers: ['a'] }), /object/],
    ['headers', openai({ headers: many(21) }), /20/],
    ['headers.a b', openai({ headers: { 'a b': 'c' } }), /name of a header/],
    ['headers.x', openai({ headers: { x: 'a\nb' } }), /ASCII/],
    ['headers.x', openai({ headers: { x: '' } }), /ASCII/],
    ['headers.x', openai({ headers: { x: 'Bearer s3cret' } }), /secret/],
    ['headers.A', openai({ headers: { a: '1', A: '2' } }), /once/],
    ['connect_timeout_seconds', openai({ connect_timeout_seconds: 121 }), /0\.1 to 120/],
    ['first_byte_timeout_seconds', openai({ first_byte_timeout_seconds: 0 }), /0\.1 to 3600/],
    ['idle_timeout_seconds', openai({ idle_timeout_seconds: '5' }), /0\.1 to 3600/],
    ['total_timeout_seconds', openai({ total_timeout_seconds: 3601 }), /0\.1 to 3600/],
    ['adaptive', openai({ adaptive: true }), /object/],
    ['adaptive.floor', openai({ adaptive: { floor: 0 } }), /0\.01 to 0\.9/],
    ['adaptive.floor', openai({ adaptive: { floor: 1 } }), /0\.01 to 0\.9/],
    ['adaptive.ceiling', openai({ adaptive: { ceiling: 1 } }), /not known/],
    ['adaptive', { kind: 'simulated', adaptive: {} }, /simulated/],
  ])('with an invalid %s: %j', async (field, body, text) => {
    const response = await createTestApp().send('PUT', PATH, { body })
    expect(response).toMatchObject({ status: 400, body: { field } })
    expect(response.body).toMatchObject({ message: expect.stringMatching(text) })
    expect(JSON.stringify(response.body)).not.toContain('s3cret')
  })

  test.each([
    ...['Authorization', 'x-api-key', 'api-key', 'Cookie', 'x-goog-api-key', 'Helicone-Auth'],
    ...['Host', 'Content-Length', 'Connection', 'Transfer-Encoding', 'TE', 'Upgrade', 'Keep-Alive'],
    ...[
      'Proxy-Authorization',
      'Proxy-Connection',
      'x-amz-date',
      'x-proxy-token',
      'Expect',
      'Accept-Encoding',
    ],
  ])('that sets the header %s', async (name) => {
    const body = openai({ headers: { [name]: 's3cret' } })
    const response = await createTestApp().send('PUT', PATH, { body })
    expect(response).toMatchObject({ status: 400, body: { field: `headers.${name}` } })
    expect(JSON.stringify(response.body)).not.toContain('s3cret')
  })

  test.each([
    'sk-proj-abcdefghijklmnop',
    'Bearer sk-proj-abcdefghijklmnop',
    'env:ADMIN_TOKEN',
    'env:AWS_SECRET_ACCESS_KEY',
    'env:UPSTREAM_BASE_URL',
    'env:UPSTREAM_SECRET_',
    'UPSTREAM_SECRET_OPENAI',
    'arn:aws:s3:::bucket/secret',
    'arn:aws:secretsmanager:eu-central-1:123456789012:secret:',
    ' env:UPSTREAM_SECRET_OPENAI',
    'env:UPSTREAM_SECRET_OPENAI\n',
    { value: 'sk-proj-abcdefghijklmnop' },
  ])('whose secret is %j, without repeating it', async (secret) => {
    const response = await createTestApp().send('PUT', PATH, { body: openai({ secret }) })
    expect(response).toMatchObject({ status: 400, body: { field: 'secret' } })
    expect(JSON.stringify(response.body)).not.toMatch(/abcdefghijklmnop|AWS_SECRET|ADMIN_TOKEN/)
  })

  test.each(['a b', '-a', 'a/b', 'x'.repeat(65), 'a%0Ab'])('for the name %s', async (name) => {
    const path = `/api/upstreams/${encodeURIComponent(name)}`
    expect(await createTestApp().send('PUT', path, { body: OPENAI })).toMatchObject({
      status: 400,
      body: { field: 'name' },
    })
  })
})

const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, 'a']))

describe('a secret that cannot be read', () => {
  test('is an error when it is set, which names the reason', async () => {
    const reason = 'UPSTREAM_SECRET_OPENAI is not set in the environment of zael'
    const secretReader = { read: () => Promise.reject(new SecretUnreadable(reason)) }
    const { send } = createTestApp({ upstreams: { secretReader } })
    expect(await send('PUT', PATH, { body: OPENAI })).toMatchObject({
      status: 400,
      body: { field: 'secret', message: `secret must be readable by zael: ${reason}` },
    })
    expect((await send('GET', PATH)).status).toBe(404)
  })
})

test('Bedrock requires a region where the process has none', async () => {
  const { send } = createTestApp({ upstreams: { processRegion: null } })
  expect(await send('PUT', PATH, { body: { kind: 'bedrock' } })).toMatchObject({
    status: 400,
    body: { field: 'region', message: 'region must be given: zael itself has no region (AWS_REGION)' },
  })
  expect((await send('PUT', PATH, { body: bedrock({ region: 'us-east-1' }) })).status).toBe(201)
})

describe('the upstreams of a model', () => {
  test('must exist', async () => {
    const { send } = createTestApp()
    const body = { upstreams: [{ upstream: 'openai' }] }
    expect(await send('PUT', '/api/models/gpt-4', { body })).toMatchObject({
      status: 400,
      body: {
        field: 'upstreams[0].upstream',
        message: expect.stringContaining('there is no openai'),
      },
    })
    await send('PUT', PATH, { body: OPENAI })
    expect((await send('PUT', '/api/models/gpt-4', { body })).status).toBe(201)
  })

  test('cannot be removed, and the error names the models', async () => {
    const { send } = createTestApp()
    await send('PUT', PATH, { body: OPENAI })
    for (let index = 0; index < 12; index += 1) {
      await send('PUT', `/api/models/m-${10 + index}`, { body: { upstreams: [{ upstream: 'openai' }] } })
    }
    const denied = await send('DELETE', PATH)
    expect(denied).toMatchObject({ status: 409, body: { error: 'conflict' } })
    expect(denied.body).toMatchObject({
      message: expect.stringMatching(/m-10, m-11, .*m-19 and 2 more/),
    })
    expect((await send('GET', PATH)).status).toBe(200)
    for (let index = 0; index < 12; index += 1) await send('PUT', `/api/models/m-${10 + index}`, { body: {} })
    expect((await send('DELETE', PATH)).status).toBe(204)
  })
})

describe('the upstream of UPSTREAM_BASE_URL', () => {
  const environmentUpstream: Upstream = anUpstream({ name: 'default', baseUrl: 'http://localhost:1/v1' })
  const app = () => createTestApp({ upstreams: { environmentUpstream } })

  test('is listed, in order, and hides a stored one', async () => {
    const other = createTestApp()
    await other.send('PUT', '/api/upstreams/default', { body: { kind: 'simulated' } })
    const { send } = createTestApp({ upstreams: { environmentUpstream }, table: other.table })
    for (const name of ['z', 'a']) await send('PUT', `/api/upstreams/${name}`, { body: OPENAI })
    const { items } = asDescribed(await send('GET', '/api/upstreams'), upstreamsResponse)
    expect(items.map(({ name, source }) => [name, source])).toEqual([
      ['a', 'table'],
      ['default', 'environment'],
      ['z', 'table'],
    ])
    expect(asDescribed(await send('GET', '/api/upstreams/default'), upstreamResponse)).toEqual(items[1])
    expect(items[1]).toMatchObject({ kind: 'openai', base_url: 'http://localhost:1/v1' })
  })

  test('cannot be changed or removed', async () => {
    const { send } = app()
    for (const [method, body] of [['PUT', OPENAI], ['DELETE']] as const) {
      const options = body === undefined ? {} : { body }
      expect(await send(method, '/api/upstreams/default', options)).toMatchObject({
        status: 409,
        body: { message: expect.stringContaining('UPSTREAM_BASE_URL') },
      })
    }
  })

  test('can be named by a model', async () => {
    const body = { upstreams: [{ upstream: 'default' }] }
    expect((await app().send('PUT', '/api/models/a', { body })).status).toBe(201)
  })
})

test('shows what this process has observed of the models at an upstream', async () => {
  const states: readonly UpstreamState[] = [
    {
      upstream: 'openai',
      model: 'gpt-4',
      factor: 0.33333,
      restsUntil: 1_700_000_030_500_000_000n,
      lastFailure: { cause: '503', at: 1_700_000_000_900_000_000n },
    },
    { upstream: 'openai', model: 'gpt-4o', factor: 1, restsUntil: null, lastFailure: null },
    { upstream: 'other', model: 'gpt-4', factor: 1, restsUntil: null, lastFailure: null },
  ]
  const { send } = createTestApp({ upstreams: { upstreamStates: { upstreamStates: () => states } } })
  await send('PUT', PATH, { body: OPENAI })
  const { models } = asDescribed(await send('GET', PATH), upstreamResponse)
  expect(models).toEqual([
    {
      model: 'gpt-4',
      factor: 0.333,
      resting: true,
      rests_until: 1_700_000_030,
      last_failure: { cause: '503', at: 1_700_000_000 },
    },
    { model: 'gpt-4o', factor: 1, resting: false, rests_until: null, last_failure: null },
  ])
})
