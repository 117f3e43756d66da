import { expect, test } from 'vitest'
import { endpointOf, pathFor } from '../../../src/gateway/upstream/endpoint.ts'
import { anUpstream } from '../test-gateway.ts'

const bedrock = (fields: Parameters<typeof anUpstream>[0] = {}) =>
  anUpstream({ kind: 'bedrock', baseUrl: null, ...fields })

test('a base URL keeps its path, without the slash at its end', () => {
  const at = (baseUrl: string) => endpointOf(anUpstream({ baseUrl }), null)
  expect(at('https://api.openai.com/v1/')).toMatchObject({
    origin: 'https://api.openai.com',
    basePath: '/v1',
  })
  expect(at('http://vllm.internal:8000')).toMatchObject({ origin: 'http://vllm.internal:8000', basePath: '' })
})

test('Bedrock is in the region of the upstream, else in that of the process', () => {
  const origin = (own: string | null, ofProcess: string | null) =>
    endpointOf(bedrock({ region: own }), ofProcess)?.origin
  expect(origin('eu-west-1', 'us-east-1')).toBe('https://bedrock-runtime.eu-west-1.amazonaws.com')
  expect(origin(null, 'us-east-1')).toBe('https://bedrock-runtime.us-east-1.amazonaws.com')
  expect(origin(null, null)).toBeUndefined()
})

test.each([
  ['https://bedrock-runtime.eu-west-1.amazonaws.com', 'eu-west-1', 'bedrock'],
  ['https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com', 'us-gov-west-1', 'bedrock'],
  ['https://bedrock-mantle.us-east-2.api.aws', 'us-east-2', 'bedrock-mantle'],
  ['https://vpce-1.bedrock-mantle.us-east-2.vpce.amazonaws.com', 'us-east-2', 'bedrock-mantle'],
  ['https://vpce-1.bedrock-runtime.eu-central-1.vpce.amazonaws.com', 'eu-central-1', 'bedrock'],
  ['http://127.0.0.1:9000', 'us-west-2', 'bedrock'],
  ['https://not-bedrock-mantle.example.com', 'us-west-2', 'bedrock'],
])('requests to %s are signed for %s and %s', (baseUrl, region, service) => {
  expect(endpointOf(bedrock({ baseUrl }), 'us-west-2')).toMatchObject({ region, service })
})

test('what is configured wins over what the host names', () => {
  const upstream = bedrock({
    baseUrl: 'https://bedrock-mantle.us-east-2.api.aws',
    region: 'eu-west-1',
    signingService: 'bedrock',
  })
  expect(endpointOf(upstream, null)).toMatchObject({ region: 'eu-west-1', service: 'bedrock' })
})

const MANTLE = 'https://bedrock-mantle.us-east-2.api.aws'
const RUNTIME = 'https://bedrock-runtime.us-east-2.amazonaws.com'

test.each([
  [MANTLE, '/openai/v1/responses', 'openai.gpt-oss-120b', '/v1/responses'],
  [MANTLE, '/openai/v1/chat/completions', 'moonshotai.kimi-k2.5', '/v1/chat/completions'],
  [MANTLE, '/openai/v1/responses', 'openai.gpt-5.5', '/openai/v1/responses'],
  [MANTLE, '/openai/v1/chat/completions', 'us.xai.grok-4.3', '/openai/v1/chat/completions'],
  [MANTLE, '/anthropic/v1/messages', 'anthropic.claude-opus-4-6', '/anthropic/v1/messages'],
  [RUNTIME, '/openai/v1/chat/completions', 'openai.gpt-oss-120b', '/openai/v1/chat/completions'],
])('at %s, %s of %s is %s', (baseUrl, path, model, expected) => {
  const endpoint = endpointOf(bedrock({ baseUrl }), null)
  expect(endpoint && pathFor(endpoint, path, model)).toBe(expected)
})

test('the path of a base URL precedes that of the route', () => {
  const endpoint = endpointOf(bedrock({ baseUrl: `${MANTLE}/proxy/` }), null)
  expect(endpoint && pathFor(endpoint, '/openai/v1/responses', 'qwen.qwen3')).toBe('/proxy/v1/responses')
})
