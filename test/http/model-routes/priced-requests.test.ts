import { describe, expect, test } from 'vitest'
import { createPromptCounter } from '../../../src/gateway/prompt-counter.ts'
import {
  aChunk,
  anAnswer,
  DONE,
  events,
  json,
  LAST_CHUNK,
  type Script,
  startUpstream,
} from '../../gateway/scripted-upstream.ts'
import { anUpstream, createTestGateway } from '../../gateway/test-gateway.ts'
import { aModel } from '../../store/store-fixtures.ts'
import { createSpendingApp } from './spending-app.ts'

/** Micro-dollars per token: 3 of input, 15 of output. */
const PRICES = { input_per_million: 3, output_per_million: 15 }

const PRICED = {
  ...PRICES,
  cached_input_per_million: 0.3,
  cache_write_per_million: 3.75,
  cache_write_1h_per_million: 6,
  service_tiers: {
    flex: { input_per_million: 1, output_per_million: 5 },
    priority: { input_per_million: 6, output_per_million: 30 },
  },
  per_image: 0.04,
  per_audio_second: 0.0001,
}

const counter = createPromptCounter()

interface Setting {
  readonly model?: object
  /** In micro-dollars. */
  readonly budget?: number
  readonly limits?: readonly object[]
}

/** Of so many micro-dollars per window. */
const budgetOf = (name: string, limit: number, window: 'day' | 'week') => ({
  name,
  meter: 'cost_usd_micros',
  algorithm: 'fixed_window',
  limit,
  window,
})

/** A model at an upstream that answers by the script, and an entity with a budget. */
const start = async (script: Script, setting: Setting = {}) => {
  const { model = { prices: PRICED }, budget = 1e6, limits = [budgetOf('budget', budget, 'day')] } = setting
  const { origin, baseUrl, received } = await startUpstream(script)
  const { gateway } = createTestGateway(
    [anUpstream({ baseUrl }), anUpstream({ name: 'claude', kind: 'anthropic', baseUrl: origin })],
    { prompts: counter },
  )
  const app = await createSpendingApp(limits, { backend: gateway })
  const { send } = app
  for (const [name, kind, base_url] of [
    ['default', 'openai', baseUrl],
    ['claude', 'anthropic', origin],
  ])
    await send('PUT', `/api/upstreams/${name}`, { body: { kind, base_url } })
  await send('PUT', '/api/models/gpt-4', { body: model })
  await send('PUT', '/api/models/claude', { body: { ...model, upstreams: [{ upstream: 'claude' }] } })
  const post = (path: string, body: object, entityId?: string) =>
    app.post(path, { model: path === '/v1/messages' ? 'claude' : 'gpt-4', ...body }, entityId)
  const spent = async () =>
    ((await app.used('gpt-4')).cost_usd_micros ?? 0) + ((await app.used('claude')).cost_usd_micros ?? 0)
  const check = (body: object) => app.post('/v1/limits/check', body)
  return { ...app, post, check, spent, received }
}

const HELLO = [{ role: 'user', content: 'Hello' }]

const counts = (input: number, output: number, rest: object = {}) => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
  ...rest,
})

const png = (): string => `data:image/png;base64,${Buffer.from('\x89PNG').toString('base64')}`

/** Nearly two seconds of 16 bits, 16,000 times a second. */
const wav = ({ coding = 1, statedRate = 32_000 } = {}): string => {
  const bytes = Buffer.alloc(63_999)
  bytes.write('RIFF')
  bytes.write('WAVEfmt ', 8)
  bytes.writeUInt16LE(coding, 20)
  bytes.writeUInt16LE(1, 22)
  bytes.writeUInt32LE(16_000, 24)
  bytes.writeUInt32LE(statedRate, 28)
  bytes.writeUInt16LE(16, 34)
  return bytes.toString('base64')
}

describe('a request is charged', () => {
  test.each([
    [
      'at the tier that served it, not the one that was asked for',
      { service_tier: 'priority' },
      'default',
      450,
    ],
    [
      'at the tier that was asked for, if the response names none',
      { service_tier: 'priority' },
      undefined,
      900,
    ],
    ['at the tier that served it, also if none was asked for', {}, 'priority', 900],
    ['at a flexible tier', { service_tier: 'flex' }, 'flex', 150],
    ['at the standard tier', {}, undefined, 450],
  ])('%s', async (_, request, served, micros) => {
    const answer = { ...anAnswer('Hi', counts(100, 10)), ...(served && { service_tier: served }) }
    const { post, spent } = await start(json(200, answer))
    expect(
      (await post('/v1/chat/completions', { messages: HELLO, max_tokens: 100, ...request })).status,
    ).toBe(200)
    expect(await spent()).toBe(micros)
  })

  test('at the tier that the chunks of a stream name', async () => {
    const usage = `data: ${JSON.stringify({ id: 'c', choices: [], usage: counts(100, 10) })}\n\n`
    const { post, spent } = await start(
      events(aChunk('Hi', { service_tier: 'priority' }), LAST_CHUNK, usage, DONE),
    )
    await post('/v1/chat/completions', { messages: HELLO, max_tokens: 100, stream: true })
    expect(await spent()).toBe(900)
  })

  test('for what it reads from a cache and writes to it, for minutes and for an hour', async () => {
    const usage = {
      input_tokens: 100,
      cache_read_input_tokens: 200,
      cache_creation_input_tokens: 50,
      cache_creation: { ephemeral_5m_input_tokens: 30, ephemeral_1h_input_tokens: 20 },
      output_tokens: 10,
      service_tier: 'standard',
    }
    const { post, spent } = await start(
      json(200, { id: 'm', content: [{ type: 'text', text: 'Hi' }], usage }),
    )
    expect((await post('/v1/messages', { messages: HELLO, max_tokens: 100 })).status).toBe(200)
    // 300 + 60 + 112.5 + 120 + 150, rounded up once
    expect(await spent()).toBe(743)
  })

  test('for images that it sends, and for those in the response', async () => {
    const images = [{ type: 'image_url', image_url: { url: png() } }]
    const answer = {
      id: 'c',
      choices: [{ index: 0, message: { role: 'assistant', content: '', images }, finish_reason: 'stop' }],
      usage: counts(100, 10),
    }
    const { post, spent } = await start(json(200, answer))
    const content = [{ type: 'text', text: 'Draw two more' }, ...images, ...images]
    await post('/v1/chat/completions', { messages: [{ role: 'user', content }], max_tokens: 100 })
    expect(await spent()).toBe(450 + 3 * 40_000)
  })

  test('for images that a tool generates', async () => {
    const answer = {
      id: 'r',
      output: [{ type: 'image_generation_call', id: 'i', status: 'completed', result: 'aaaa' }],
      usage: { input_tokens: 100, output_tokens: 10, total_tokens: 110 },
    }
    const { post, spent } = await start(json(200, answer))
    await post('/v1/responses', {
      input: 'Draw',
      tools: [{ type: 'image_generation' }],
      max_output_tokens: 100,
    })
    expect(await spent()).toBe(450 + 40_000)
  })

  test.each([
    ['the seconds that the upstream reports', { prompt_audio_seconds: 7 }, 700],
    ['else by its size', {}, 200],
  ])('for audio, %s', async (_, reported, audio) => {
    const { post, spent } = await start(json(200, anAnswer('Hi', counts(100, 10, reported))))
    const content = [{ type: 'input_audio', input_audio: { data: wav(), format: 'wav' } }]
    await post('/v1/chat/completions', { messages: [{ role: 'user', content }], max_tokens: 100 })
    expect(await spent()).toBe(450 + audio)
  })

  test.each([
    ['by the rate that a header states', { data: wav({ statedRate: 0xffffffff }), format: 'wav' }, 200],
    ['as samples, if the format is compressed', { data: wav({ coding: 0x55 }), format: 'wav' }, 6400],
    ['as a WAV file, if it is to be read as another', { data: wav(), format: 'mp3' }, 6400],
  ])('for audio, but not %s', async (_, input_audio, audio) => {
    const { post, spent } = await start(json(200, anAnswer('Hi', counts(100, 10))))
    const content = [{ type: 'input_audio', input_audio }]
    await post('/v1/chat/completions', { messages: [{ role: 'user', content }], max_tokens: 100 })
    expect(await spent()).toBe(450 + audio)
  })

  test('nothing but a request if the upstream refuses it', async () => {
    const { post, spent } = await start(
      json(400, { error: { message: 'No', type: 'invalid_request_error' } }),
    )
    const content = [{ type: 'image_url', image_url: { url: png() } }]
    expect((await post('/v1/chat/completions', { messages: [{ role: 'user', content }] })).status).toBe(400)
    expect(await spent()).toBe(0)
  })
})

describe('a request is denied whose highest price the budget does not cover', () => {
  const answer = anAnswer('Hi', counts(8, 1))
  const chat = (rest: object = {}) => ({ messages: HELLO, max_tokens: 100, ...rest })

  test.each([
    ['of the tier that it asks for', { budget: 2000 }, chat({ service_tier: 'priority' }), chat()],
    ['of a tier that the provider may choose', { budget: 2000 }, chat({ service_tier: 'auto' }), chat()],
    ['with the images that it asks for', { budget: 20_000 }, chat({ modalities: ['image', 'text'] }), chat()],
    [
      'with the images that it sends',
      { budget: 20_000 },
      chat({ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: png() } }] }] }),
      chat(),
    ],
  ])('%s', async (_, setting, dear, cheap) => {
    const { post, received } = await start(json(200, answer), setting)
    expect(await post('/v1/chat/completions', dear)).toMatchObject({
      status: 429,
      body: { error: { code: 'insufficient_quota' }, violations: [{ limit_name: 'budget' }] },
    })
    expect(received).toEqual([])
    expect((await post('/v1/chat/completions', cheap)).status).toBe(200)
  })

  test.each([
    ['for minutes', { type: 'ephemeral' }],
    ['for an hour', { type: 'ephemeral', ttl: '1h' }],
  ])('with all of its prompt written to a cache %s', async (_, cache_control) => {
    const text = 'one two three four five six seven '.repeat(50)
    const counted = await counter.estimate({
      api: 'messages',
      model: aModel({ id: 'claude' }),
      body: { messages: [{ role: 'user', content: [{ type: 'text', text }] }] },
    })
    const { inputTokens } = 'least' in counted ? counted.least : counted
    const usage = { input_tokens: 8, output_tokens: 1 }
    const reply = json(200, { id: 'm', content: [{ type: 'text', text: 'Hi' }], usage })
    const { post } = await start(reply, { budget: inputTokens * 3 + 15 })
    const asked = (block: object) =>
      post('/v1/messages', {
        messages: [{ role: 'user', content: [{ type: 'text', text, ...block }] }],
        max_tokens: 1,
      })
    expect((await asked({ cache_control })).status).toBe(429)
    expect((await asked({})).status).toBe(200)
  })

  test('of a long context, if its prompt may be one', async () => {
    const long_context = { above_tokens: 8, input_per_million: 6, output_per_million: 30 }
    const { post } = await start(json(200, answer), {
      model: { prices: { ...PRICES, long_context } },
      budget: 2000,
    })
    expect((await post('/v1/chat/completions', chat())).status).toBe(429)
  })
})

test('a team at its budget admits no more than it pays for, however many of its keys call at once', async () => {
  const { addEntity, post, used, received } = await start(json(200, anAnswer('Hi', counts(8, 20))), {
    budget: 1e9,
  })
  await addEntity('team', { limits: [budgetOf('usd', 10_000, 'week')] })
  for (const key of ['a', 'b', 'c']) await addEntity(key, { parent_id: 'team' })
  const call = (index: number) =>
    post('/v1/chat/completions', { messages: HELLO, max_tokens: 100 }, 'abc'[index % 3])
  const spent = async () => (await used('gpt-4', 'team')).cost_usd_micros ?? 0
  // each reserves 1,524 micro-dollars at least, and is billed 324
  const first = await Promise.all(Array.from({ length: 30 }, (_, index) => call(index)))
  expect(first.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(6)
  const statuses: number[] = []
  while (statuses.at(-1) !== 429) statuses.push((await call(statuses.length)).status)
  expect(received.length * 324).toBe(await spent())
  expect(await spent()).toBeLessThanOrEqual(10_000)
  expect(await spent()).toBeGreaterThan(10_000 - 1_600)
})

describe('a model with weights', () => {
  const tpm = (limit: number) => [
    { name: 'tpm', limit, per: 'minute' },
    { name: 'otpm', limit: 10_000, per: 'minute' },
  ]
  const model = { token_weights: { output: 5, cached_input: 0 } }

  test('counts weighted tokens before and after, and real input and output', async () => {
    const usage = counts(100, 10, { prompt_tokens_details: { cached_tokens: 60 } })
    const { post, used } = await start(json(200, anAnswer('Hi', usage)), { model, limits: tpm(1000) })
    const answered = await post('/v1/chat/completions', { messages: HELLO, max_tokens: 100 })
    expect(Number(answered.headers.get('x-ratelimit-remaining-tokens'))).toBeLessThanOrEqual(500)
    expect(await used()).toMatchObject({ tokens: 40 + 50, input_tokens: 100, output_tokens: 10 })
    const denied = await post('/v1/chat/completions', { messages: HELLO, max_tokens: 200 })
    expect(denied).toMatchObject({ status: 429, body: { violations: [{ limit_name: 'tpm' }] } })
  })

  test('bounds the output of a request without a maximum by its weight', async () => {
    const { post, received } = await start(json(200, anAnswer('Hi', counts(8, 1))), {
      model,
      limits: tpm(1008),
    })
    expect((await post('/v1/chat/completions', { messages: HELLO })).status).toBe(200)
    expect(received[0]?.body.max_completion_tokens).toBe(200)
  })

  test('takes a cost that is given literally', async () => {
    const { post, check } = await start(json(200, anAnswer('Hi')), { model, limits: tpm(1000) })
    const cost = { input_tokens: 100, output_tokens: 100 }
    expect((await check({ resource: 'gpt-4', cost })).body).toMatchObject({
      limits: [
        { limit_name: 'tpm', used: 200 },
        { limit_name: 'otpm', used: 100 },
        { limit_name: 'rpm', used: 0 },
      ],
    })
    expect((await post('/v1/chat/completions', { messages: HELLO, max_tokens: 160 })).status).toBe(429)
  })
})

describe('a budget on a model without prices', () => {
  const NOT_APPLIED = 'budget;not-applied="gpt-4 has no prices"'

  test.each([
    ['/v1/chat/completions', { messages: HELLO }, NOT_APPLIED],
    ['/v1/completions', { prompt: 'Hello' }, NOT_APPLIED],
    ['/v1/embeddings', { input: 'Hello' }, NOT_APPLIED],
    ['/v1/responses', { input: 'Hello' }, NOT_APPLIED],
    ['/v1/messages', { messages: HELLO, max_tokens: 5 }, NOT_APPLIED.replace('gpt-4', 'claude')],
    ['/v1/messages/count_tokens', { messages: HELLO }, NOT_APPLIED],
  ])('is named in the response of %s', async (path, body, warning) => {
    const { post } = await start(json(200, anAnswer('Hi', counts(8, 1))), { model: {} })
    const answered = await post(path, body)
    expect(answered.status).toBe(200)
    expect(answered.headers.get('x-ratelimit-warning')).toBe(warning)
  })

  test('is named beside other warnings, of whomever it is, and not once the model has prices', async () => {
    const { send, addEntity, post } = await start(json(200, anAnswer('Hi', counts(8, 1))), {
      model: {},
      limits: [{ name: 'rpm', limit: 1, per: 'minute' }],
    })
    const budget = { name: 'usd', meter: 'cost_usd_micros', limit: 5, per: 'day' }
    await addEntity('team', { limits: [budget] })
    await send('PATCH', '/api/entities/spender', { body: { parent_id: 'team' } })
    await send('PUT', '/api/policies/GLOBAL/*', { body: { limits: [budget] } })
    const answered = await post('/v1/chat/completions', { messages: HELLO })
    expect(answered.headers.get('x-ratelimit-warning')?.split(', ')).toEqual([
      'rpm;used=1;limit=1',
      'team/usd;not-applied="gpt-4 has no prices"',
      'GLOBAL/usd;not-applied="gpt-4 has no prices"',
    ])
    await send('PUT', '/api/models/gpt-4', { body: { prices: PRICES } })
    const denied = await post('/v1/chat/completions', { messages: HELLO })
    expect(denied.headers.get('x-ratelimit-warning')).toBeNull()
  })
})
