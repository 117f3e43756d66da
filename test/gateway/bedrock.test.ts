import { describe, expect, onTestFinished, test } from 'vitest'
import type { JsonObject } from '../../src/core/model/json.ts'
import type { Upstream } from '../../src/core/model/upstream.ts'
import type { ModelApi } from '../../src/core/ports/model-backend.ts'
import { createAwsRequestSigner } from '../../src/platform/aws-request-signer.ts'
import { type LocalBedrockOptions, startLocalBedrock } from '../support/local-bedrock.ts'
import { aCall, aModelAt, anUpstream, createTestGateway, shown, streamed } from './test-gateway.ts'

const CREDENTIALS = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: 'FwoGZXIvYXdzEXAMPLE==',
}

const SERVER: LocalBedrockOptions = { ...CREDENTIALS, region: 'eu-west-1', service: 'bedrock' }

/** A gateway to a local Bedrock that accepts `server`, signing with `signer`. */
const bedrockGateway = async ({
  server = {},
  signer = {},
  upstream = {},
}: {
  readonly server?: Partial<LocalBedrockOptions>
  readonly signer?: Partial<typeof CREDENTIALS>
  readonly upstream?: Partial<Upstream>
} = {}) => {
  const bedrock = await startLocalBedrock({ ...SERVER, ...server })
  onTestFinished(() => bedrock.close())
  const credentials = async () => ({ ...CREDENTIALS, ...signer })
  return {
    bedrock,
    ...createTestGateway(
      [anUpstream({ name: 'bedrock', kind: 'bedrock', baseUrl: bedrock.origin, ...upstream })],
      { signer: createAwsRequestSigner({ region: 'eu-west-1', credentials }) },
    ),
  }
}

const callOf = (api: ModelApi, model: string, body: JsonObject) =>
  aCall({ api, model: aModelAt(['bedrock', model]), body, headers: { 'anthropic-beta': 'tools' } })

const CHAT: JsonObject = { messages: [{ role: 'user', content: 'Grüße, 世界' }] }

const USAGE = { of: 'usage', usage: { inputTokens: 12, outputTokens: 4 } }

describe('Bedrock accepts the signature of', () => {
  test.each([
    ['chat', 'openai.gpt-oss-120b-1:0', CHAT, '/openai/v1/chat/completions'],
    ['responses', 'openai.gpt-oss-120b-1:0', { input: 'Hi' }, '/openai/v1/responses'],
    ['messages', 'us.anthropic.claude-sonnet-4-5', { ...CHAT, max_tokens: 5 }, '/anthropic/v1/messages'],
  ] as const)('%s, whole and streamed', async (api, model, body, path) => {
    const { gateway, bedrock } = await bedrockGateway()
    const whole = shown(await gateway.call(callOf(api, model, body)))
    expect(whole).toMatchObject({
      status: 200,
      charge: USAGE,
      headers: { 'x-upstream-request-id': 'bedrock-1' },
    })
    expect(whole).toHaveProperty('text', expect.stringContaining('Hello from Bedrock.'))
    const stream = await streamed(await gateway.call(callOf(api, model, { ...body, stream: true })))
    expect(stream).toMatchObject({ status: 200, charge: USAGE, headers: { 'x-zael-upstream': 'bedrock' } })
    expect(stream.text).toContain('Bedrock')
    expect(bedrock.accepted).toMatchObject([
      { path, body: { model } },
      { path, body: { model, stream: true } },
    ])
  })

  test('credentials without a session', async () => {
    const { sessionToken: _, ...lasting } = SERVER
    const { accessKeyId, secretAccessKey } = CREDENTIALS
    const bedrock = await startLocalBedrock(lasting)
    onTestFinished(() => bedrock.close())
    const signer = createAwsRequestSigner({
      region: 'eu-west-1',
      credentials: { accessKeyId, secretAccessKey },
    })
    const { gateway } = createTestGateway(
      [anUpstream({ name: 'bedrock', kind: 'bedrock', baseUrl: bedrock.origin })],
      { signer },
    )
    expect(shown(await gateway.call(callOf('chat', 'openai.gpt-oss', CHAT)))).toMatchObject({ status: 200 })
  })

  test('another region and service', async () => {
    const { gateway } = await bedrockGateway({
      server: { region: 'us-east-2', service: 'bedrock-mantle' },
      upstream: { region: 'us-east-2', signingService: 'bedrock-mantle' },
    })
    expect(shown(await gateway.call(callOf('chat', 'openai.gpt-oss', CHAT)))).toMatchObject({ status: 200 })
  })

  test('a path with characters that are encoded', async () => {
    const { bedrock } = await bedrockGateway()
    const signer = createAwsRequestSigner({ region: 'eu-west-1', credentials: CREDENTIALS })
    const path = '/a%20b/openai/v1/chat/completions'
    const request = { origin: bedrock.origin, path, body: '{}', service: 'bedrock', region: null } as const
    const headers = { ...(await signer.sign(request)), 'content-type': 'application/json' }
    const response = await fetch(bedrock.origin + path, { method: 'POST', headers, body: '{}' })
    // accepted, although there is no such path
    expect(response.status).toBe(404)
  })
})

describe('Bedrock rejects', () => {
  test.each([
    ['another secret', { signer: { secretAccessKey: 'other' } }],
    ['another access key', { signer: { accessKeyId: 'AKIDOTHER' } }],
    ['another session', { signer: { sessionToken: 'other' } }],
    ['another region', { upstream: { region: 'us-east-1' } }],
    ['another service', { upstream: { signingService: 'bedrock-mantle' as const } }],
  ])('%s: the client sees neither the text nor the credentials', async (_, options) => {
    const { gateway, bedrock, log } = await bedrockGateway(options)
    expect(shown(await gateway.call(callOf('chat', 'openai.gpt-oss', CHAT)))).toEqual({
      status: 502,
      message: 'The upstream bedrock rejects the credentials of zael',
      code: 'upstream_unavailable',
      type: null,
      param: null,
      headers: { 'x-zael-upstream': 'bedrock' },
      charge: { of: 'nothing' },
    })
    expect(bedrock.accepted).toEqual([])
    expect(JSON.stringify(log)).not.toMatch(/AKID|FwoG|wJalr/)
  })

  test('a body that was changed after the signature, and a signature that is old', async () => {
    const { bedrock } = await bedrockGateway()
    const signer = createAwsRequestSigner({ region: 'eu-west-1', credentials: CREDENTIALS })
    const signed = await signer.sign({
      origin: bedrock.origin,
      path: '/openai/v1/chat/completions',
      body: '{"max_tokens":1}',
      service: 'bedrock',
      region: null,
    })
    const statusOf = async (headers: Record<string, string>, body: string) =>
      (
        await fetch(`${bedrock.origin}/openai/v1/chat/completions`, {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body,
        })
      ).status
    expect(await statusOf({ ...signed }, '{"max_tokens":2}')).toBe(403)
    expect(await statusOf({ ...signed, 'x-amz-date': '20200101T000000Z' }, '{"max_tokens":1}')).toBe(403)
    expect(await statusOf({ ...signed }, '{"max_tokens":1}')).toBe(200)
  })
})

test('a bedrock upstream with a secret sends it as a Bedrock API key', async () => {
  const { gateway } = await bedrockGateway({
    server: { apiKey: 'value of env:UPSTREAM_SECRET_BEDROCK' },
    signer: { secretAccessKey: 'not used' },
    upstream: { secret: 'env:UPSTREAM_SECRET_BEDROCK' },
  })
  expect(shown(await gateway.call(callOf('chat', 'openai.gpt-oss', CHAT)))).toMatchObject({ status: 200 })
})

test("a model that Bedrock does not offer on a route is refused with Bedrock's own message", async () => {
  const { gateway } = await bedrockGateway()
  const reply = shown(await gateway.call(callOf('chat', 'us.anthropic.claude-sonnet-4-5', CHAT)))
  expect(reply).toMatchObject({ status: 400, charge: { of: 'request' } })
  expect(reply).toHaveProperty('text', expect.stringContaining('does not support'))
})

test('without credentials the upstream is unavailable', async () => {
  const { gateway, log } = createTestGateway(
    [anUpstream({ name: 'bedrock', kind: 'bedrock', baseUrl: 'http://127.0.0.1:9', region: 'eu-west-1' })],
    {
      signer: createAwsRequestSigner({
        region: null,
        credentials: () => Promise.reject(new Error('no credentials')),
      }),
    },
  )
  expect(shown(await gateway.call(callOf('chat', 'openai.gpt-oss', CHAT)))).toMatchObject({
    status: 502,
    message: 'The credentials of the upstream bedrock cannot be read',
  })
  expect(log).toMatchObject([{ level: 'warn', fields: { cause: 'credentials', upstream: 'bedrock' } }])
})
