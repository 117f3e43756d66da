import { describe, expect, test } from 'vitest'
import { modelResponse, modelsResponse } from '../../../src/contract/models.ts'
import { asDescribed } from '../as-described.ts'
import { createTestApp } from '../test-app.ts'

describe('a model', () => {
  test('is registered, replaced and removed; its id may contain slashes', async () => {
    const { send } = createTestApp()
    const path = '/api/models/openai/o1/mini'
    const prices = { input_per_million: 2.5, output_per_million: 10, cached_input_per_million: 1.25 }
    const created = asDescribed(
      await send('PUT', path, { body: { tier: 'premium', prices } }),
      modelResponse,
      201,
    )
    expect(created).toMatchObject({ model_id: 'openai/o1/mini', tier: 'premium', prices })
    const replaced = asDescribed(await send('PUT', path, { body: { tier: 'free' } }), modelResponse)
    expect(replaced).toEqual({ ...created, tier: 'free', prices: null })
    expect(asDescribed(await send('GET', '/api/models'), modelsResponse).items).toEqual([replaced])
    expect(asDescribed(await send('GET', path), modelResponse)).toEqual(replaced)
    expect((await send('DELETE', path)).status).toBe(204)
    expect((await send('DELETE', path)).status).toBe(404)
    expect((await send('GET', path)).status).toBe(404)
  })

  test('has upstreams in an order, a bound of output tokens, and prices of caches and long contexts', async () => {
    const { send } = createTestApp()
    for (const name of ['bedrock-eu', 'direct'])
      await send('PUT', `/api/upstreams/${name}`, { body: { kind: 'simulated' } })
    const prices = {
      input_per_million: 3,
      output_per_million: 15,
      cache_write_per_million: 3.75,
      long_context: { above_tokens: 200_000, input_per_million: 6, output_per_million: 22.5 },
    }
    const upstreams = [{ upstream: 'bedrock-eu', model: 'eu.anthropic.claude' }, { upstream: 'direct' }]
    const body = { prices, upstreams, max_output_tokens: 8192 }
    const created = asDescribed(await send('PUT', '/api/models/claude', { body }), modelResponse, 201)
    expect(created).toMatchObject({
      prices,
      upstreams: [upstreams[0], { upstream: 'direct', model: null }],
      max_output_tokens: 8192,
    })
    const replaced = asDescribed(await send('PUT', '/api/models/claude', { body: {} }), modelResponse)
    expect(replaced).toMatchObject({ prices: null, upstreams: [], max_output_tokens: 4096 })
  })

  test('has prices of service tiers, images and audio, and weights of its tokens', async () => {
    const { send } = createTestApp()
    const prices = {
      input_per_million: 2,
      output_per_million: 8,
      cache_write_1h_per_million: 4,
      service_tiers: {
        flex: { input_per_million: 1, output_per_million: 4 },
        priority: {
          input_per_million: 3.5,
          output_per_million: 14,
          cached_input_per_million: 0.875,
          long_context: { above_tokens: 272_000, input_per_million: 7, output_per_million: 21 },
        },
      },
      per_image: 0.04,
      per_audio_second: 0.0001,
    }
    const token_weights = { output: 5, cached_input: 0, cache_write: 1.25 }
    const body = { prices, token_weights }
    const created = asDescribed(await send('PUT', '/api/models/m', { body }), modelResponse, 201)
    expect(created).toMatchObject(body)
    expect(asDescribed(await send('GET', '/api/models/m'), modelResponse)).toEqual(created)
    const replaced = asDescribed(await send('PUT', '/api/models/m', { body: {} }), modelResponse)
    expect(replaced).toMatchObject({ prices: null, token_weights: null })
  })

  test('requires a body, as PUT replaces the whole model', async () => {
    const { send } = createTestApp()
    await send('PUT', '/api/models/a', { body: { tier: 'free' } })
    expect(await send('PUT', '/api/models/a')).toMatchObject({ status: 400, body: { field: 'body' } })
    expect((await send('GET', '/api/models/a')).body).toMatchObject({ tier: 'free' })
  })

  test('can also be addressed by its encoded id', async () => {
    const { send } = createTestApp()
    await send('PUT', '/api/models/a%2Fb', { body: {} })
    expect((await send('DELETE', '/api/models/a/b')).status).toBe(204)
  })

  test.each([
    ['model_id', '/api/models/a%23b', {}],
    ['tier', '/api/models/a', { tier: 'a b' }],
    ['prices.output_per_million', '/api/models/a', { prices: { input_per_million: 1 } }],
    [
      'prices.input_per_million',
      '/api/models/a',
      { prices: { input_per_million: -1, output_per_million: 1 } },
    ],
    [
      'prices.input_per_million',
      '/api/models/a',
      { prices: { input_per_million: 1e300, output_per_million: 1 } },
    ],
    [
      'prices.output_per_million',
      '/api/models/a',
      { prices: { input_per_million: 0, output_per_million: 1e-131 } },
    ],
    [
      'prices.cached_input_per_million',
      '/api/models/a',
      { prices: { input_per_million: 1, output_per_million: 1, cached_input_per_million: 5e-324 } },
    ],
    [
      'prices.per_image',
      '/api/models/a',
      { prices: { input_per_million: 1, output_per_million: 1, per_image: -1 } },
    ],
    [
      'prices.per_video',
      '/api/models/a',
      { prices: { input_per_million: 1, output_per_million: 1, per_video: 1 } },
    ],
    [
      'prices.service_tiers.batch',
      '/api/models/a',
      { prices: { input_per_million: 1, output_per_million: 1, service_tiers: { batch: {} } } },
    ],
    [
      'prices.service_tiers.flex.output_per_million',
      '/api/models/a',
      {
        prices: {
          input_per_million: 1,
          output_per_million: 1,
          service_tiers: { flex: { input_per_million: 1 } },
        },
      },
    ],
    ['upstreams', '/api/models/a', { upstreams: Array(9).fill({ upstream: 'a' }) }],
    ['upstreams[0].upstream', '/api/models/a', { upstreams: [{ upstream: 'a/b' }] }],
    ['upstreams[0].model', '/api/models/a', { upstreams: [{ upstream: 'a', model: '' }] }],
    ['upstreams[0].weight', '/api/models/a', { upstreams: [{ upstream: 'a', weight: 1 }] }],
    ['upstreams[1]', '/api/models/a', { upstreams: [{ upstream: 'a' }, { upstream: 'a', model: null }] }],
    ['max_output_tokens', '/api/models/a', { max_output_tokens: 0 }],
    ['token_weights.output', '/api/models/a', { token_weights: { output: -1 } }],
    ['token_weights.input', '/api/models/a', { token_weights: { input: 1001 } }],
    ['token_weights', '/api/models/a', { token_weights: [] }],
    ['prices', '/api/models/a', { prices: [] }],
    [
      'prices.service_tiers',
      '/api/models/a',
      { prices: { input_per_million: 1, output_per_million: 1, service_tiers: [] } },
    ],
    ['token_weights.reasoning', '/api/models/a', { token_weights: { reasoning: 1 } }],
    ['teir', '/api/models/a', { teir: 'free' }],
  ])('with an invalid %s is rejected', async (field, path, body) => {
    expect(await createTestApp().send('PUT', path, { body })).toMatchObject({ status: 400, body: { field } })
  })
})
